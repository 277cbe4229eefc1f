package caddymodule

import "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

// The directives stand on both sides of basic_auth, so that no `order` line is
// needed: the login API is open to everybody, also on a site that is protected
// otherwise, and the gate comes before everything that answers.
func init() {
	// Not a handler directive: those take a first argument that begins with a
	// slash for a matcher, and this one is the prefix.
	httpcaddyfile.RegisterDirective("login_api", parseLoginAPI)
	httpcaddyfile.RegisterDirectiveOrder("login_api", httpcaddyfile.Before, "basic_auth")
	httpcaddyfile.RegisterHandlerDirective("token_auth", parseTokenAuth)
	httpcaddyfile.RegisterDirectiveOrder("token_auth", httpcaddyfile.After, "basic_auth")
}
