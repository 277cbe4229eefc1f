package mailer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
)

// LoadCA returns a TLS configuration that trusts only the certificate authorities in a
// PEM file.
func LoadCA(path string) (*tls.Config, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator configures the path
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, errors.New("the file contains no certificate; use a PEM file with the certificate of the authority")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}, nil
}
