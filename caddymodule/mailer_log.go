package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/mailer"
)

func init() {
	caddy.RegisterModule(new(LogMailer))
}

// LogMailer writes each mail to Caddy's log, with its link and code, and sends
// nothing. A reader of the log can log in as any user, so it is for development.
type LogMailer struct {
	MailOptions
}

// CaddyModule returns the Caddy module information.
func (*LogMailer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.mailers.log", New: func() caddy.Module { return new(LogMailer) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	mailer log {
//		from      <address>
//		reply_to  <address>
//		subject   <template>
//		templates <directory>
//	}
func (m *LogMailer) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return parseMailer(d, nil, &m.MailOptions)
}

// Provision checks the options.
func (m *LogMailer) Provision(caddy.Context) error {
	return m.provision("mailer log", "login@localhost")
}

// OpenMailer returns a queue that ends in the log.
func (m *LogMailer) OpenMailer(env MailerEnvironment) (authcore.Mailer, func() error, error) {
	return m.open(env, []string{"log"}, nil, func() (mailer.Transport, error) {
		return mailer.NewLog(processLogger("edgeauth.mailers.log")), nil
	})
}

// Interface guards.
var (
	_ Mailer                = (*LogMailer)(nil)
	_ caddy.Provisioner     = (*LogMailer)(nil)
	_ caddyfile.Unmarshaler = (*LogMailer)(nil)
)
