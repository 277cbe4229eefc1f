// Package edgeauth gives the Caddy web server a login API and a token gate.
// Importing it registers every module, with all of its back ends:
//
//	import _ "github.com/edgeauth/edgeauth"
//
// which is what `xcaddy build --with github.com/edgeauth/edgeauth` does. The
// modules and their configuration are described in package caddymodule.
package edgeauth

import (
	_ "github.com/edgeauth/edgeauth/caddymodule"
	_ "github.com/edgeauth/edgeauth/storage/bolt"
	_ "github.com/edgeauth/edgeauth/storage/memory"
	_ "github.com/edgeauth/edgeauth/storage/postgres"
)
