package caddymodule

import (
	"context"
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/mailer"
)

func init() {
	caddy.RegisterModule(new(WebhookMailer))
}

// WebhookMailer posts each mail as JSON to an HTTP mail API: "to", "from",
// "reply_to", "subject", "text" and "html". Mails wait in a queue, are retried until
// their link expires, and survive a reload but not a restart.
type WebhookMailer struct {
	// Where mails are posted to: an https URL, or http on the loopback
	// interface. Can contain placeholders. Required.
	URL string `json:"url,omitempty" option:"-"`
	// Sent as a bearer token with each mail. Can contain placeholders. Default:
	// none.
	Token string `json:"token,omitempty"`
	MailOptions

	url, token string
}

// CaddyModule returns the Caddy module information.
func (*WebhookMailer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.mailers.webhook", New: func() caddy.Module { return new(WebhookMailer) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	mailer webhook <url> {
//		token     <token>
//		from      <address>
//		reply_to  <address>
//		subject   <template>
//		templates <directory>
//	}
func (m *WebhookMailer) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return parseMailer(d, &m.URL, m, &m.MailOptions)
}

// Provision checks the options. It makes no request.
func (m *WebhookMailer) Provision(caddy.Context) error {
	const where = "mailer webhook"
	err := newResolver(where).bind(
		binding{"url", m.URL, &m.url},
		binding{"token", m.Token, &m.token},
	)
	if err != nil {
		return err
	}
	trial, err := mailer.NewWebhook(m.config())
	if err != nil {
		return err
	}
	if err := trial.Close(); err != nil {
		return err
	}
	return m.provision(where, "")
}

func (m *WebhookMailer) config() mailer.WebhookConfig {
	return mailer.WebhookConfig{URL: m.url, Token: m.token}
}

// OpenMailer returns the queue in front of the mail API.
func (m *WebhookMailer) OpenMailer(env MailerEnvironment) (authcore.Mailer, func() error, error) {
	return m.open(env, []string{"webhook", m.url, m.token}, nil, func() (mailer.Transport, error) {
		return mailer.NewWebhook(m.config())
	})
}

// CheckMailer asks the mail API for a sign of life.
func (m *WebhookMailer) CheckMailer(ctx context.Context) (string, error) {
	transport, err := mailer.NewWebhook(m.config())
	if err != nil {
		return "", err
	}
	return "is reachable; the first mail tests the token",
		errors.Join(transport.Check(ctx), transport.Close())
}

// Interface guards.
var (
	_ Mailer                = (*WebhookMailer)(nil)
	_ MailerChecker         = (*WebhookMailer)(nil)
	_ caddy.Provisioner     = (*WebhookMailer)(nil)
	_ caddyfile.Unmarshaler = (*WebhookMailer)(nil)
)
