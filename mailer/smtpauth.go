package mailer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/edgeauth/edgeauth/authcore"
)

// mechanisms lists the supported authentication mechanisms, in the order of
// preference. SCRAM-SHA-256 (RFC 7677) does not send the password. CRAM-MD5 does not
// either, but few servers that offer it can verify it. XOAUTH2 takes an access token
// as password.
func mechanisms() []string {
	return []string{"SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}
}

// parseMechanism returns the mechanism with this name in the configuration.
func parseMechanism(name string) (string, error) {
	mechanism := strings.ToUpper(name)
	if name != "" && !slices.Contains(mechanisms(), mechanism) {
		return "", fmt.Errorf("mailer: SMTP: auth: %q is not valid; use one of %s", name, strings.ToLower(strings.Join(mechanisms(), ", ")))
	}
	return mechanism, nil
}

// chooseAuth returns the wanted mechanism (RFC 4954), or the best one that the server
// offers. Mechanisms that send the password are refused without TLS, which
// [SMTPServer.Validate] refuses as well.
func chooseAuth(offered, wanted string, server SMTPServer) (smtp.Auth, error) {
	names := strings.Fields(strings.ToUpper(offered))
	private := server.TLS != TLSNone || authcore.IsLoopback(server.Host)
	for _, mechanism := range mechanisms() {
		if wanted != "" && mechanism != wanted || !slices.Contains(names, mechanism) {
			continue
		}
		switch mechanism {
		case "SCRAM-SHA-256":
			return smtp.ScramSHA256Auth(server.User, server.Password), nil
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(server.User, server.Password), nil
		}
		if !private {
			return nil, &reasonError{"credentials are not sent without TLS"}
		}
		switch mechanism {
		case "PLAIN":
			return smtp.PlainAuth("", server.User, server.Password, server.Host, true), nil
		case "LOGIN":
			return smtp.LoginAuth(server.User, server.Password, server.Host, true), nil
		case "XOAUTH2":
			return smtp.XOAuth2Auth(server.User, server.Password), nil
		}
	}
	return nil, &reasonError{"the server offers no supported authentication mechanism"}
}
