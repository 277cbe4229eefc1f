package mailer

import (
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// chooseAuth returns the best mechanism (RFC 4954) that the server offers:
// SCRAM-SHA-256 (RFC 7677), which does not show the password, then PLAIN and
// LOGIN. The latter two are refused on a connection that others can read; the
// URL was refused then as well, this is the second lock.
func chooseAuth(offered string, server SMTPServer) (smtp.Auth, error) {
	mechanisms := strings.Fields(strings.ToUpper(offered))
	private := server.TLS != TLSNone || isLoopback(server.Host)
	switch {
	case slices.Contains(mechanisms, "SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(server.User, server.Password), nil
	case !private:
		return nil, &reasonError{"credentials are not sent without TLS"}
	case slices.Contains(mechanisms, "PLAIN"):
		return smtp.PlainAuth("", server.User, server.Password, server.Host, true), nil
	case slices.Contains(mechanisms, "LOGIN"):
		return smtp.LoginAuth(server.User, server.Password, server.Host, true), nil
	default:
		return nil, &reasonError{"server offers no authentication that is supported"}
	}
}
