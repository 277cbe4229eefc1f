// Package edgeauth adds login and token verification to the Caddy web server.
// Importing it registers all Caddy modules of the project:
//
//	import _ "github.com/edgeauth/edgeauth"
//
// as `xcaddy build --with github.com/edgeauth/edgeauth` does. Package caddymodule
// describes the modules and their configuration.
package edgeauth

import _ "github.com/edgeauth/edgeauth/caddymodule" // registers the modules
