package caddymodule

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func TestSMTPMailerSigns(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey() failed: %v", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("MarshalPKCS8PrivateKey() failed: %v", err)
	}
	file := filepath.Join(t.TempDir(), "dkim.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatalf("WriteFile() failed: %v", err)
	}
	for name, c := range map[string]struct{ key, selector, domain, signs, fault string }{
		"off":          {"", "", "", "", ""},
		"of the from":  {"{file." + file + "}", "s1", "", "s1._domainkey.example.com", ""},
		"other domain": {"{file." + file + "}", "s1", "mail.example.com", "s1._domainkey.mail.example.com", ""},
		"no selector":  {"{file." + file + "}", "", "", "", "belong together"},
		"no key":       {"", "s1", "", "", "belong together"},
		"domain alone": {"", "", "example.com", "", "belong together"},
		"no file":      {"{file." + file + ".missing}", "s1", "", "", "dkim_key"},
		"no PEM":       {"secret", "s1", "", "", "PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			m := SMTPMailer{
				URL: "smtp://localhost:25", MailOptions: MailOptions{From: "Example <login@example.com>"},
				DKIMKey: c.key, DKIMSelector: c.selector, DKIMDomain: c.domain,
			}
			err := m.Provision(caddy.Context{})
			signs := ""
			if m.dkim != nil {
				signs = m.dkim.String()
			}
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) || signs != c.signs {
				t.Errorf("Provision() = %v and signs as %q, want %q and %q", err, signs, c.fault, c.signs)
			}
		})
	}
}
