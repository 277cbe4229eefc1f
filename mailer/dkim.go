package mailer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/edgeauth/edgeauth/authcore"
)

// minRSABits is the smallest RSA key that verifiers have to accept (RFC 8301, section
// 3.2).
const minRSABits = 1024

// DKIM signs mails (RFC 6376). Its printed form does not contain the key.
type DKIM struct {
	domain, selector string
	key              crypto.Signer
}

// NewDKIM parses a private key in PEM: RSA in PKCS #1 or PKCS #8, or Ed25519 in PKCS #8
// (RFC 8463). The public key is in the DNS at <selector>._domainkey.<domain>. Errors
// contain no part of the key.
func NewDKIM(domain, selector, keyPEM string) (*DKIM, error) {
	ascii, err := authcore.ParseDomain(domain)
	if err != nil {
		return nil, fmt.Errorf("mailer: dkim: the domain %q is not valid; use one such as example.com", domain)
	}
	if !isSelector(selector) {
		return nil, fmt.Errorf("mailer: dkim: the selector %q is not valid; use letters, digits and hyphens", selector)
	}
	key, err := parseDKIMKey(keyPEM)
	if err != nil {
		return nil, err
	}
	return &DKIM{domain: ascii, selector: selector, key: key}, nil
}

// isSelector reports whether a text consists of DNS labels (RFC 6376, section 3.1).
func isSelector(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		outside := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r) }
		if label == "" || len(label) > 63 || strings.ContainsFunc(strings.ToLower(label), outside) {
			return false
		}
	}
	return true
}

func parseDKIMKey(text string) (crypto.Signer, error) {
	const remedy = "use a PEM file of openssl genrsa 2048 or openssl genpkey -algorithm ed25519"
	der := authcore.DecodePEM(text)
	if der == nil {
		return nil, errors.New("mailer: dkim: the key is not in PEM; " + remedy)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			return nil, errors.New("mailer: dkim: the key cannot be read; " + remedy)
		}
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("mailer: dkim: the RSA key has %d bits; use 2048", key.N.BitLen())
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	default:
		return nil, errors.New("mailer: dkim: the type of the key is not supported; " + remedy)
	}
}

// String returns the name of the key in the DNS.
func (d *DKIM) String() string { return d.selector + "._domainkey." + d.domain }

// GoString prevents that %#v prints the key.
func (d *DKIM) GoString() string { return d.String() }

// sign returns the mail with its signature. Lines end with CRLF, as SMTP sends them. Each
// field is listed twice, so that a field of its name cannot be added (RFC 6376, section
// 8.15).
func (d *DKIM) sign(raw []byte) ([]byte, error) {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	fields := []string{"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: d.domain, Selector: d.selector, Signer: d.key, Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: slices.Concat(fields, fields),
	})
	if err != nil {
		return nil, errors.New("mailer: signing failed")
	}
	return signed.Bytes(), nil
}
