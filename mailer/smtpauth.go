package mailer

import (
	"errors"
	"fmt"
	"net/textproto"
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

// authCandidates returns the mechanisms to try, in the order of preference: the wanted
// one (RFC 4954), or all that the server offers. first is the one that was tried last, or
// "". XOAUTH2 is tried only alone: a password is not an access token, and the refusal of
// another mechanism contains the better reason.
func authCandidates(offered, wanted, first string) []string {
	names := strings.Fields(strings.ToUpper(offered))
	var candidates []string
	for _, mechanism := range mechanisms() {
		switch {
		case wanted != "" && mechanism != wanted || !slices.Contains(names, mechanism):
		case mechanism == "XOAUTH2" && len(candidates) > 0:
		case mechanism == first:
			candidates = slices.Insert(candidates, 0, mechanism)
		default:
			candidates = append(candidates, mechanism)
		}
	}
	return candidates
}

// newAuth returns a new exchange. Mechanisms that send the password are refused without
// TLS, which [SMTPServer.Validate] refuses as well.
func newAuth(mechanism string, server SMTPServer) (smtp.Auth, error) {
	switch mechanism {
	case "SCRAM-SHA-256":
		return smtp.ScramSHA256Auth(server.User, server.Password), nil
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(server.User, server.Password), nil
	}
	if server.TLS == TLSNone && !authcore.IsLoopback(server.Host) {
		return nil, &reasonError{"credentials are not sent without TLS"}
	}
	switch mechanism {
	case "PLAIN":
		return smtp.PlainAuth("", server.User, server.Password, server.Host, true), nil
	case "LOGIN":
		return smtp.LoginAuth(server.User, server.Password, server.Host, true), nil
	default:
		return smtp.XOAuth2Auth(server.User, server.Password), nil
	}
}

// authenticate tries the mechanisms until the server accepts one.
func (t *SMTP) authenticate(c *client) error {
	first, _ := t.mechanism.Load().(string)
	err := error(&reasonError{"the server offers no supported authentication mechanism"})
	for _, mechanism := range authCandidates(c.extensions["AUTH"], t.auth, first) {
		var auth smtp.Auth
		if auth, err = newAuth(mechanism, t.server); err != nil {
			return err
		}
		t.mechanism.Store(mechanism) // also for the next connection, if the server closes this one
		if err = c.authenticate(auth, t.server.Host); err == nil || !refusesMechanism(mechanism, err) {
			return err
		}
	}
	return err
}

// refusesMechanism reports whether another mechanism can succeed after a refusal (RFC
// 4954, section 6). Servers offer mechanisms that they cannot verify, for example SCRAM
// without stored keys, and then refuse the credentials. After a mechanism that sends the
// password such a refusal is final: each further attempt counts towards a lockout.
func refusesMechanism(mechanism string, err error) bool {
	var refusal *textproto.Error
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code {
	case 432, 500, 501, 502, 504, 534, 538:
		return true
	case 535, 550, 554:
		return mechanism == "SCRAM-SHA-256" || mechanism == "CRAM-MD5"
	default:
		return false
	}
}
