package mailer

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

func pemOf(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("MarshalPKCS8PrivateKey() failed: %v", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A verifier accepts the mails as the server received them, in every language.
func TestDKIM(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("GenerateKey() failed: %v", err)
	}
	rsaPublic, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatalf("MarshalPKIXPublicKey() failed: %v", err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("GenerateKey() failed: %v", err)
	}
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	for name, c := range map[string]struct {
		key, kind string
		public    []byte
	}{
		"RSA": {pemOf(t, rsaKey), "rsa", rsaPublic}, "PKCS #1": {pkcs1, "rsa", rsaPublic}, "one line": {strings.ReplaceAll(pkcs1, "\n", `\n`), "rsa", rsaPublic}, "Ed25519": {pemOf(t, edKey), "ed25519", edPublic},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := NewDKIM("Example.com", "login", c.key)
			if err != nil {
				t.Fatalf("NewDKIM() failed: %v", err)
			}
			record := fmt.Sprintf("v=DKIM1; k=%s; p=%s", c.kind, base64.StdEncoding.EncodeToString(c.public))
			for _, locale := range []string{"en", "ja"} {
				script := &smtpScript{}
				transport := newTestSMTP(t, script.start(t), nil)
				composer := testComposer(t)
				composer.dkim = signer
				mail := testMail("alice@example.org", noon)
				mail.Locale = locale
				m, err := composer.compose(mail, stamp{})
				if err != nil {
					t.Fatalf("compose() failed: %v", err)
				}
				mustDeliver(t, transport)
				if err := transport.Deliver(shortly(t), m); err != nil {
					t.Fatalf("Deliver() failed: %v", err)
				}
				received := strings.ReplaceAll(strings.ReplaceAll(script.received()[1], "\r\n", "\n"), "\n", "\r\n")
				verify := func(text string) error {
					results, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
						if name != "login._domainkey.example.com" {
							return nil, fmt.Errorf("no record %s", name)
						}
						return []string{record}, nil
					}})
					if err != nil || len(results) != 1 {
						return fmt.Errorf("%d signatures: %w", len(results), err)
					}
					return results[0].Err
				}
				if err := verify(received); err != nil {
					t.Errorf("Verify() in %s = %v, want nil\n%s", locale, err, received)
				}
				for what, forged := range map[string]string{
					"another author":         strings.Replace(received, "From: ", "From: Eve ", 1),
					"a second author":        "From: <eve@example.net>\r\n" + received,
					"a second subject":       "Subject: Hello\r\n" + received,
					"a second type":          "Content-Type: text/html\r\n" + received,
					"an address for replies": "Reply-To: <eve@example.net>\r\n" + received,
				} {
					if verify(forged) == nil {
						t.Errorf("Verify() with %s in %s = nil, want an error", what, locale)
					}
				}
			}
		})
	}
}

func TestNewDKIMRefuses(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatalf("GenerateKey() failed: %v", err)
	}
	good := pemOf(t, small)
	const secret = "S3cretKey"
	for name, c := range map[string]struct{ domain, selector, key, want string }{
		"domain":   {"example", "login", good, "domain"},
		"selector": {"example.com", "a b", good, "selector"},
		"empty":    {"example.com", "", good, "selector"},
		"no PEM":   {"example.com", "login", secret, "PEM"},
		"rubbish":  {"example.com", "login", "-----BEGIN PRIVATE KEY-----\nUzNjcmV0S2V5\n-----END PRIVATE KEY-----\n", "cannot be read"},
	} {
		_, err := NewDKIM(c.domain, c.selector, c.key)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("NewDKIM() with a faulty %s = %v, want %q", name, err, c.want)
		}
	}
	signer, err := NewDKIM("example.com", "login.2026", good)
	if err != nil {
		t.Fatalf("NewDKIM() failed: %v", err)
	}
	if got := fmt.Sprintf("%v %+v %#v", signer, signer, signer); got != strings.TrimSpace(strings.Repeat("login.2026._domainkey.example.com ", 3)) {
		t.Errorf("printed form = %q, want the name in the DNS", got)
	}
}
