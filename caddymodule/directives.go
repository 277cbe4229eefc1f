package caddymodule

import "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

// No `order` line is needed. The login API comes before the directives that redirect
// requests or change their path (redir, rewrite, try_files), and needs no
// authentication, also on a protected site. The gate comes after them, so that it sees
// the path that the upstream will see, and before all directives that respond.
func init() {
	// Not a handler directive: those take a first argument that begins with a
	// slash for a matcher, and this one is the prefix.
	httpcaddyfile.RegisterDirective("login_api", parseLoginAPI)
	httpcaddyfile.RegisterDirectiveOrder("login_api", httpcaddyfile.Before, "redir")
	httpcaddyfile.RegisterDirective("login_page", parseLoginPage)
	httpcaddyfile.RegisterDirectiveOrder("login_page", httpcaddyfile.Before, "redir")
	// Only directives of Caddy can be named; the later call inserts the earlier directive.
	httpcaddyfile.RegisterDirective("admin_page", parseAdminPage)
	httpcaddyfile.RegisterDirectiveOrder("admin_page", httpcaddyfile.After, "basic_auth")
	httpcaddyfile.RegisterHandlerDirective("token_auth", parseTokenAuth)
	httpcaddyfile.RegisterDirectiveOrder("token_auth", httpcaddyfile.After, "basic_auth")
}
