package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// parseLoginPage sets the handler up from Caddyfile tokens. Syntax:
//
//	login_page [<prefix>] {
//		realm      <name>
//		origin     <origin>
//		title      <name>
//		logo       <file>
//		theme      <file>
//		templates  <directory>
//		return_to  <path>
//		locale     <language…>
//		lifetime   <duration>
//		providers  <name…>
//		sign_in_at <address>
//		site       <address…>
//		keys       off|on|only
//		keys_basic
//		schemes    <Token|Bearer…>
//	}
//
// There is no matcher: the prefix selects the paths. locale, providers and site may be
// repeated.
func parseLoginPage(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	handler := new(LoginPage)
	return parsePages(h, handler, &handler.Prefix, &handler.CredentialOptions)
}
