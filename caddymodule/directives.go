package caddymodule

import "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

// No `order` line is needed. The login API comes before everything that sends
// requests elsewhere or changes their path (redir, rewrite, try_files), and is
// open to everybody, also on a site that is protected otherwise. The gate comes
// after, so that it sees the path that the upstream will see, and before
// everything that answers.
func init() {
	// Not a handler directive: those take a first argument that begins with a
	// slash for a matcher, and this one is the prefix.
	httpcaddyfile.RegisterDirective("login_api", parseLoginAPI)
	httpcaddyfile.RegisterDirectiveOrder("login_api", httpcaddyfile.Before, "redir")
	httpcaddyfile.RegisterHandlerDirective("token_auth", parseTokenAuth)
	httpcaddyfile.RegisterDirectiveOrder("token_auth", httpcaddyfile.After, "basic_auth")
}
