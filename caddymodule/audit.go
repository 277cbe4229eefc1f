package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore/audit"
)

// Audit configures the audit trail of a realm.
type Audit struct {
	// How long entries are kept. Default: 90 days.
	Retention caddy.Duration `json:"retention,omitempty"`
	// Record the network addresses of clients. Default: false; their networks are
	// recorded, the first 24 bits of an IPv4 address and 48 bits of an IPv6 address.
	Addresses bool `json:"addresses,omitempty"`
	// Record the e-mail addresses of users and of requested links. Default: false.
	Emails bool `json:"emails,omitempty"`
}

// options returns the options of the core, or nil without an audit trail.
func (a *Audit) options() *audit.Options {
	if a == nil {
		return nil
	}
	return &audit.Options{Retention: time.Duration(a.Retention), Addresses: a.Addresses, Emails: a.Emails}
}

// parseAudit reads the audit trail. Syntax:
//
//	audit {
//		retention <duration>
//		addresses
//		emails
//	}
func (r *Realm) parseAudit(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	if b.NextArg() {
		return b.Errf("audit: expected no argument")
	}
	r.Audit = new(Audit)
	options := newBlock(b.Dispenser)
	for nesting := b.Nesting(); b.NextBlock(nesting); {
		if err := options.anyOption(r.Audit); err != nil {
			return err
		}
	}
	return nil
}
