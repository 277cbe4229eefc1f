package caddymodule

import (
	"errors"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/webhook"
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
	// The endpoints that receive each entry as a signed message. At most 4. Default: none.
	Webhooks []*Webhook `json:"webhooks,omitempty" option:"-"`
}

// Webhook is an endpoint that receives entries of the audit trail, in the format of
// Standard Webhooks. Strings can contain placeholders.
type Webhook struct {
	// The address: https, or http on the loopback interface. Required.
	URL string `json:"url,omitempty" option:"-"`
	// The secrets that sign messages, each `whsec_` and 24 to 64 bytes in base64: one, or
	// two while the secret changes. Required.
	Secrets []string `json:"secrets,omitempty" option:"-"`
	// The actions of the entries to send. Default: all.
	Actions []string `json:"actions,omitempty" option:"action"`
}

// endpoints returns the endpoints with their placeholders replaced.
func (a *Audit) endpoints(resolve resolver) ([]webhook.Endpoint, error) {
	if a == nil {
		return nil, nil
	}
	endpoints := make([]webhook.Endpoint, 0, len(a.Webhooks))
	for _, configured := range a.Webhooks {
		if configured == nil {
			return nil, errors.New("webhook: has no configuration")
		}
		hook := *configured
		if err := resolve.fields(&hook); err != nil {
			return nil, err
		}
		endpoint := webhook.Endpoint{URL: hook.URL, Secrets: hook.Secrets}
		for _, action := range hook.Actions {
			endpoint.Actions = append(endpoint.Actions, authcore.EventName(action))
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints, nil
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
//		webhook <url> <secret…> {
//			action <name…>
//		}
//	}
//
// webhook and action may be repeated.
func (r *Realm) parseAudit(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	if b.NextArg() {
		return b.Errf("audit: expected no argument")
	}
	r.Audit = new(Audit)
	return newBlock(b.Dispenser).options(map[string]func(*block) error{"webhook": r.Audit.parseWebhook}, r.Audit)
}

func (a *Audit) parseWebhook(b *block) error {
	arguments := b.RemainingArgs()
	if len(arguments) != 2 && len(arguments) != 3 {
		return b.Errf("webhook: expected an URL and one or two secrets, got %d arguments", len(arguments))
	}
	hook := &Webhook{URL: arguments[0], Secrets: arguments[1:]}
	a.Webhooks = append(a.Webhooks, hook)
	return newBlock(b.Dispenser).options(nil, hook)
}
