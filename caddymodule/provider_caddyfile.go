package caddymodule

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore/provider"
)

// parseProvider reads one provider. Syntax:
//
//	provider <name> [<client_id> <client_secret>] {
//		type <kind>
//		<options of the kind>
//	}
//
// The kind is the name unless type sets another. The kind's module reads the
// option itself.
func (r *Realm) parseProvider(b *block) error {
	if !b.NextArg() {
		return b.Errf("provider: expected a name")
	}
	name := b.Val()
	if _, repeated := r.ProvidersRaw[name]; repeated {
		return b.Errf("provider %s: is configured already", name)
	}
	segment := b.NewFromNextSegment()
	kind, err := kindOf(segment)
	if err != nil {
		return err
	}
	id := "edgeauth.providers." + kind
	info, err := caddy.GetModule(id)
	if err != nil {
		return segment.Errf("provider %s: %q is not a known kind; set it with: type <kind>", name, kind)
	}
	module, ok := info.New().(caddyfile.Unmarshaler)
	if !ok {
		return segment.Errf("provider %s: the kind %q cannot be configured in a Caddyfile", name, kind)
	}
	segment.Reset()
	if err := module.UnmarshalCaddyfile(segment); err != nil {
		return err
	}
	if r.ProvidersRaw == nil {
		r.ProvidersRaw = map[string]json.RawMessage{}
	}
	r.ProvidersRaw[name] = caddyconfig.JSONModuleObject(module, "type", kind, nil)
	return nil
}

// kindOf looks for the kind in the tokens of a provider.
func kindOf(d *caddyfile.Dispenser) (string, error) {
	d.Next()
	kind, isSet := d.Val(), false
	d.RemainingArgs()
	for d.NextBlock(0) {
		if d.Nesting() != 1 || d.Val() != "type" {
			d.RemainingArgs()
			continue
		}
		if isSet {
			return "", d.Errf("type: must not be repeated")
		}
		if err := newBlock(d).argument(&kind); err != nil {
			return "", err
		}
		isSet = true
	}
	return kind, nil
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	provider <name> [<client_id> <client_secret>] {
//		type          <kind>
//		client_id     <id>
//		client_secret <secret>
//		scope         <scope…>
//		issuer        <issuer>
//		base_url      <url>
//		authorize_url <url>
//		token_url     <url>
//		user_info_url <url>
//		jwks_url      <url>
//		audience      <audience…>
//		id_token_login on|off
//		trust_addresses <domain…>
//		tenant        <tenant…>
//		hosted_domain <domain…>
//		team_id       <id>
//		key_id        <id>
//		private_key   <pem>
//		client_auth   basic|post
//		field         <name> <path>
//		roles         <claim path> [<prefix>]
//		insecure_allow_private_addresses
//		<options of AccountOptions>
//	}
//
// scope, audience, tenant, hosted_domain and trust_addresses may be repeated, field
// with other names.
func (p *SocialProvider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the provider's name
	b := newBlock(d)
	switch arguments := d.RemainingArgs(); len(arguments) {
	case 0:
	case 2:
		p.ClientID, p.ClientSecret = arguments[0], arguments[1]
		b.seen["client_id"], b.seen["client_secret"] = true, true
	default:
		return d.Errf("provider: expected a name, or a name, a client id and a client secret")
	}
	return b.options(map[string]func(*block) error{
		"type":   func(b *block) error { return b.text(new(string)) }, // read by kindOf
		"field":  p.parseField,
		"roles":  p.parseRoles,
		"signup": p.parseSignup,
	}, &p.Config, &p.AccountOptions)
}

// parseField reads: field <name> <path>.
func (p *SocialProvider) parseField(b *block) error {
	arguments := b.RemainingArgs()
	if len(arguments) != 2 {
		return b.Errf("field: expected a name and a path")
	}
	name, path := arguments[0], arguments[1]
	if !slices.Contains(provider.FieldNames(), name) {
		return b.Errf("field: %q is not one of %s", name, strings.Join(provider.FieldNames(), ", "))
	}
	if _, repeated := p.Fields[name]; repeated {
		return b.Errf("field %s: must not be repeated", name)
	}
	if p.Fields == nil {
		p.Fields = map[string]string{}
	}
	p.Fields[name] = path
	return nil
}

// Interface guard.
var _ caddyfile.Unmarshaler = (*SocialProvider)(nil)
