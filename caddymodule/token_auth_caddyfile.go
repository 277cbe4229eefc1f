package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// parseTokenAuth sets the handler up from Caddyfile tokens. Syntax:
//
//	token_auth [<matcher>] {
//		realm     <name>
//		public    <path…>
//		optional
//		require   <field> <value…>
//		max_age   <duration>
//		headers   <header…|NAME=field…>|all|off
//		assertion [<audience> [<lifetime>]]
//		keys       off|on|only
//		keys_basic
//		schemes    <Token|Bearer…>
//		forward_token
//		login_page <path or address>
//		origin     <origin>
//		no_store
//		handle_errors
//	}
//
// require may be repeated for other fields, public and headers may be repeated.
func parseTokenAuth(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next() // the directive's name
	if h.NextArg() {
		return nil, h.Errf("token_auth: expected no argument but a matcher")
	}
	handler := new(TokenAuth)
	b := newBlock(h.Dispenser)
	for h.NextBlock(0) {
		if err := handler.parseOption(b); err != nil {
			return nil, err
		}
	}
	return handler, nil
}

func (t *TokenAuth) parseOption(b *block) error {
	switch b.Val() {
	case "public":
		before := len(t.Public)
		if err := b.list(&t.Public); err != nil {
			return err
		}
		if err := gate.PublicPaths(t.Public[before:]).Validate(); err != nil {
			return b.Errf("%v", err)
		}
		return nil
	case "require":
		return t.parseRequire(b)
	case "headers":
		if err := b.list(&t.Headers); err != nil {
			return err
		}
		if _, _, err := gate.ChosenHeaders(t.Headers); err != nil {
			return b.Errf("%v", err)
		}
		return nil
	case "schemes":
		if err := b.list(&t.Schemes); err != nil {
			return err
		}
		if _, err := gate.ParseSchemes(t.Schemes); err != nil {
			return b.Errf("%v", err)
		}
		return nil
	case "assertion":
		return t.parseAssertion(b)
	default:
		return b.anyOption(t, &t.CredentialOptions)
	}
}

// parseRequire reads one requirement. Syntax:
//
//	require <field> <value…>
func (t *TokenAuth) parseRequire(b *block) error {
	arguments := b.RemainingArgs()
	if len(arguments) < 2 {
		return b.Errf("require: expected a field and at least one value")
	}
	field := arguments[0]
	if slices.ContainsFunc(t.Require, func(r Requirement) bool { return r.Field == field }) {
		return b.Errf("require %s: must not be repeated; list all accepted values at once", field)
	}
	t.Require = append(t.Require, Requirement{Field: field, Values: arguments[1:]})
	return nil
}

// parseAssertion reads the token for the upstream. Syntax:
//
//	assertion [<audience> [<lifetime>]]
func (t *TokenAuth) parseAssertion(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	if len(arguments) > 2 {
		return b.Errf("assertion: expected at most an audience and a lifetime")
	}
	t.Assertion = new(Assertion)
	if len(arguments) > 0 {
		t.Assertion.Audience = arguments[0]
	}
	if len(arguments) > 1 {
		lifetime, err := b.span("assertion", arguments[1])
		if err != nil {
			return err
		}
		t.Assertion.Lifetime = caddy.Duration(lifetime)
	}
	return nil
}
