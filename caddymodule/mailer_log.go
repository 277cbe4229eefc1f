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
// nothing. Whoever reads the log can log in as everybody: for development.
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
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("mailer log: expected no argument")
	}
	b := newBlock(d)
	for d.NextBlock(0) {
		if known, err := m.parse(b); err != nil {
			return err
		} else if !known {
			return b.unknown()
		}
	}
	return nil
}

// Provision checks the options.
func (m *LogMailer) Provision(caddy.Context) error {
	return m.provision("mailer log", "login@localhost")
}

// OpenMailer returns a queue that ends in the log.
func (m *LogMailer) OpenMailer(env MailerEnvironment) (authcore.Mailer, func() error, error) {
	return m.open(env, []string{"log"}, func() (mailer.Transport, error) {
		return mailer.NewLog(processLogger("edgeauth.mailers.log")), nil
	})
}

// Interface guards.
var (
	_ Mailer                = (*LogMailer)(nil)
	_ caddy.Provisioner     = (*LogMailer)(nil)
	_ caddyfile.Unmarshaler = (*LogMailer)(nil)
)
