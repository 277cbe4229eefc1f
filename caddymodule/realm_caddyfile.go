package caddymodule

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// parse reads the block of a realm. Syntax:
//
//	edgeauth [<realm>] {
//		client <name> <key> { … }
//		email_link <template> { lifetime <duration> }
//		title <name>
//		notices on|off
//		passkeys off|optional|required
//		passkey_rp_id <domain>
//		challenge <verify URL> <secret> { … }
//		api_url <url>
//		mailer <module> …
//		storage <module> …
//		provider <name> [<client_id> <client_secret>] { … }
//
//		issuer         <name>
//		audience       <name>
//		algorithm      EdDSA|ES256|RS256|HS256
//		token_lifetime <duration>
//		max_lifetime   <duration>
//		refresh_grace  <duration>
//		max_sessions   <n>
//		link_lifetime  <duration>
//		invitation_lifetime <duration>
//		key_rotation   <duration>
//		cache_size     <n>
//
//		revocation_max_staleness <duration>
//		on_stale                 serve|reject
//		api_keys                 off|operators|users
//		audit {
//			retention <duration>
//			addresses
//			emails
//			webhook <url> <secret…> { action <name…> }
//		}
//
//		signup         open|closed|domains <domain…>
//		link_by_email  verified|never
//		email_taken    conflict|new_account
//		allow          <address or domain…>
//		deny           <address or domain…>
//		role <name>    <address or domain…>
//		limit <name> <n> <window>|off
//
//		insecure_debug_links [also_on_public_sites]
//	}
//
// client, provider and limit may be repeated with other names, and so may allow,
// deny and role. The lifetime in
// the block of email_link is the same option as link_lifetime.
func (r *Realm) parse(d *caddyfile.Dispenser) error {
	return newBlock(d).options(map[string]func(*block) error{
		"client":               r.parseClient,
		"email_link":           r.parseEmailLink,
		"mailer":               func(b *block) error { return parseModule(b, "edgeauth.mailers", &r.MailerRaw) },
		"storage":              func(b *block) error { return parseModule(b, "edgeauth.storage", &r.StorageRaw) },
		"provider":             r.parseProvider,
		"limit":                r.parseLimit,
		"role":                 r.parseRole,
		"signup":               r.parseSignup,
		"challenge":            r.parseChallenge,
		"audit":                r.parseAudit,
		"second_factor":        r.parseSecondFactor,
		"insecure_debug_links": r.parseDebugLinks,
	}, r, &r.AccountOptions)
}

func (r *Realm) parseEmailLink(b *block) error {
	if err := b.text(&r.EmailLink); err != nil {
		return err
	}
	for nesting := b.Nesting(); b.NextBlock(nesting); {
		if b.Val() != "lifetime" {
			return b.unknown()
		}
		if b.seen["link_lifetime"] {
			return b.Errf("lifetime: must not be repeated")
		}
		if err := b.duration(&r.LinkLifetime); err != nil {
			return err
		}
		b.seen["link_lifetime"] = true
	}
	return nil
}

// parseSecondFactor reads: second_factor off|optional|required [<role…>]
func (r *Realm) parseSecondFactor(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	arguments := b.RemainingArgs()
	if len(arguments) == 0 {
		return b.Errf("second_factor: expected off, optional, or required and optional roles")
	}
	r.SecondFactor, r.SecondFactorRoles = arguments[0], arguments[1:]
	return nil
}

func (r *Realm) parseDebugLinks(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	const twice = "also_on_public_sites"
	switch arguments := b.RemainingArgs(); {
	case len(arguments) > 1 || len(arguments) == 1 && arguments[0] != twice:
		return b.Errf("insecure_debug_links: expected nothing or %s", twice)
	case len(arguments) == 1:
		r.InsecureDebugLinksOnPublicSites = true
	}
	r.InsecureDebugLinks = true
	return nil
}

// parseModule reads an option that names a module of a namespace, and hands the
// rest of the option to it. Syntax:
//
//	<option> <module> [<arguments…>] [{ … }]
func parseModule(b *block, namespace string, to *json.RawMessage) error {
	option := b.Val()
	if err := b.once(); err != nil {
		return err
	}
	if !b.NextArg() {
		return b.Errf("%s: expected the name of a module", option)
	}
	name := b.Val()
	module, err := caddyfile.UnmarshalModule(b.Dispenser, namespace+"."+name)
	if err != nil {
		return err
	}
	*to = caddyconfig.JSONModuleObject(module, "module", name, nil)
	return nil
}
