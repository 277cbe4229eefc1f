package caddymodule

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

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
	// interface or the URL sets `tls`. Can contain placeholders. Required.
	URL string `json:"url,omitempty" option:"-"`
	// The name in EHLO: a full host name, or an address literal such as
	// `[192.0.2.1]`. Can contain placeholders. Default: the host name of the machine
	// if it contains a dot, otherwise the local address of the connection.
	HELO string `json:"helo,omitempty"`
	// The authentication mechanism. With `xoauth2` the password in the URL is an access
	// token. Default: the best one that the server offers.
	Auth string `json:"auth,omitempty" oneof:"scram-sha-256 plain login cram-md5 xoauth2"`
	// A PEM file with the certificate authorities of the server, instead of those of
	// the system. Can contain placeholders.
	TLSCA string `json:"tls_ca,omitempty"`
	// The most mails on one connection. Default: 10.
	MailsPerConnection int `json:"mails_per_connection,omitempty"`
	// The private key that signs mails with DKIM, in PEM, for example
	// `{file./etc/edgeauth/dkim.pem}`: RSA or Ed25519. Default: mails are not signed
	// here.
	DKIMKey string `json:"dkim_key,omitempty"`
	// The name of the key in the DNS: `<selector>._domainkey.<domain>`. Required with
	// `dkim_key`.
	DKIMSelector string `json:"dkim_selector,omitempty"`
	// The domain that signs. Default: the one of `from`.
	DKIMDomain string `json:"dkim_domain,omitempty"`
	MailOptions

	url, helo, tlsCA string
	dkimParts        []string
	dkim             *mailer.DKIM
	server           mailer.SMTPServer
	tlsConfig        *tls.Config
}

// CaddyModule returns the Caddy module information.
func (*SMTPMailer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.mailers.smtp", New: func() caddy.Module { return new(SMTPMailer) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	mailer smtp <url> {
//		helo      <name>
//		auth      scram-sha-256|plain|login|cram-md5|xoauth2
//		tls_ca    <file>
//		mails_per_connection <number>
//		dkim_key      <PEM>
//		dkim_selector <name>
//		dkim_domain   <domain>
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
	err := newResolver(where).bind(
		binding{"url", m.URL, &m.url}, binding{"helo", m.HELO, &m.helo}, binding{"tls_ca", m.TLSCA, &m.tlsCA},
	)
	if err != nil {
		return err
	}
	if m.server, err = mailer.ParseSMTPURL(m.url); err != nil {
		return err
	}
	if m.tlsCA != "" {
		if m.tlsConfig, err = mailer.LoadCA(m.tlsCA); err != nil {
			return fmt.Errorf("%s: tls_ca: %w", where, err)
		}
	}
	if _, err := mailer.NewSMTP(m.config()); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	author := ""
	if address, err := authcore.ParseAddress(m.server.User); err == nil {
		author = address.String()
	}
	if err := m.provision(where, author); err != nil {
		return err
	}
	return m.provisionDKIM(where)
}

// provisionDKIM reads the key. An incomplete configuration is an error: mails would be
// sent without the signature that the operator expects.
func (m *SMTPMailer) provisionDKIM(where string) error {
	var key, selector, domain string
	err := newResolver(where).bind(
		binding{"dkim_key", m.DKIMKey, &key}, binding{"dkim_selector", m.DKIMSelector, &selector}, binding{"dkim_domain", m.DKIMDomain, &domain},
	)
	switch {
	case err != nil:
		return err
	case key == "" && selector == "" && domain == "":
		return nil
	case key == "" || selector == "":
		return fmt.Errorf("%s: dkim_key: key and selector belong together; add the missing one", where)
	case domain == "":
		sender, err := mailer.ParseSender(m.from)
		if err != nil {
			return err
		}
		_, domain, _ = strings.Cut(sender.Address, "@")
	}
	m.dkimParts = []string{key, selector, domain}
	if m.dkim, err = mailer.NewDKIM(domain, selector, key); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

func (m *SMTPMailer) config() mailer.SMTPConfig {
	return mailer.SMTPConfig{
		Server: m.server, HELO: m.helo, Auth: m.Auth, TLSConfig: m.tlsConfig, MaxUses: m.MailsPerConnection,
	}
}

// OpenMailer returns the queue in front of the server.
func (m *SMTPMailer) OpenMailer(env MailerEnvironment) (authcore.Mailer, func() error, error) {
	identity := append([]string{"smtp", m.url, m.helo, m.Auth, strconv.Itoa(m.MailsPerConnection), m.tlsCA}, m.dkimParts...)
	if m.tlsCA != "" {
		authorities, err := os.ReadFile(m.tlsCA)
		if err != nil {
			return nil, nil, fmt.Errorf("mailer smtp: tls_ca: %w", err)
		}
		identity = append(identity, string(authorities))
	}
	return m.open(env, identity, m.dkim, func() (mailer.Transport, error) {
		return mailer.NewSMTP(m.config())
	})
}

// CheckMailer connects, logs in, and offers a mail without sending it.
func (m *SMTPMailer) CheckMailer(ctx context.Context) (string, error) {
	sender, err := mailer.ParseSender(m.from)
	if err != nil {
		return "", err
	}
	transport, err := mailer.NewSMTP(m.config())
	if err != nil {
		return "", err
	}
	return "accepts mail from the sender", errors.Join(transport.Check(ctx, sender.Address), transport.Close())
}

// Interface guards.
var (
	_ Mailer                = (*SMTPMailer)(nil)
	_ MailerChecker         = (*SMTPMailer)(nil)
	_ caddy.Provisioner     = (*SMTPMailer)(nil)
	_ caddyfile.Unmarshaler = (*SMTPMailer)(nil)
)
