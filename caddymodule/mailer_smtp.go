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
	caddy.RegisterModule(new(SMTPMailer))
}

// SMTPMailer sends mail through an SMTP server. Mails wait in a queue, are retried
// until their link expires, and survive a reload but not a restart.
type SMTPMailer struct {
	// The server: `smtp://[user:password@]host[:port][?tls=starttls|implicit|none]`
	// or `smtps://…`, with special characters of user and password
	// percent-encoded. STARTTLS is required unless the host is the loopback
	// interface or `tls` says otherwise. Can contain placeholders. Required.
	URL string `json:"url,omitempty" option:"-"`
	MailOptions

	url    string
	server mailer.SMTPServer
}

// CaddyModule returns the Caddy module information.
func (*SMTPMailer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.mailers.smtp", New: func() caddy.Module { return new(SMTPMailer) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	mailer smtp <url> {
//		from      <address>
//		reply_to  <address>
//		subject   <template>
//		templates <directory>
//	}
//
// The default of from is the user in the URL, where that is an address.
func (m *SMTPMailer) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return parseMailer(d, &m.URL, m, &m.MailOptions)
}

// Provision checks the options. It does not connect.
func (m *SMTPMailer) Provision(caddy.Context) error {
	const where = "mailer smtp"
	err := newResolver(where).bind(binding{"url", m.URL, &m.url})
	if err != nil {
		return err
	}
	if m.server, err = mailer.ParseSMTPURL(m.url); err != nil {
		return err
	}
	author := ""
	if address, err := authcore.ParseAddress(m.server.User); err == nil {
		author = address.String()
	}
	return m.provision(where, author)
}

// OpenMailer returns the queue in front of the server.
func (m *SMTPMailer) OpenMailer(env MailerEnvironment) (authcore.Mailer, func() error, error) {
	return m.open(env, []string{"smtp", m.url}, func() (mailer.Transport, error) {
		return mailer.NewSMTP(mailer.SMTPConfig{Server: m.server})
	})
}

// CheckMailer connects and logs in.
func (m *SMTPMailer) CheckMailer(ctx context.Context) (string, error) {
	transport, err := mailer.NewSMTP(mailer.SMTPConfig{Server: m.server})
	if err != nil {
		return "", err
	}
	return "takes mail from us", errors.Join(transport.Check(ctx), transport.Close())
}

// Interface guards.
var (
	_ Mailer                = (*SMTPMailer)(nil)
	_ MailerChecker         = (*SMTPMailer)(nil)
	_ caddy.Provisioner     = (*SMTPMailer)(nil)
	_ caddyfile.Unmarshaler = (*SMTPMailer)(nil)
)
