package session

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxUserAgent limits the stored part of a User-Agent header, in bytes.
const maxUserAgent = 256

// Begin returns a session with its first token, for [authcore.Account.Start]. The
// step of the login sets Identity for a social login.
func (s *Service) Begin(client *authcore.Client, method string, caller authcore.Caller) authcore.Session {
	now := s.cfg.Now()
	token := s.newToken(client, now, now)
	session := authcore.Session{
		ID: authcore.RandomID(), Client: client.Name, Method: method, AMR: []string{reference(method)}, ACR: factors(method),
		Created: now, LastSeen: now, Expires: token.Expires,
		UserAgent: CleanUserAgent(caller.UserAgent), Token: token,
	}
	if caller.IP.IsValid() {
		session.IP = caller.IP.Unmap().String()
	}
	return session
}

// The values of the claim acr: the number of factors that a login proved.
const (
	OneFactor  = "1"
	TwoFactors = "2"
)

// factors returns the value of the claim acr for a method. A passkey proves possession of
// the device and the fingerprint, face or PIN of its user.
func factors(method string) string {
	if method == "passkey" {
		return TwoFactors
	}
	return OneFactor
}

// reference returns the value of the claim amr for a method (RFC 8176).
func reference(method string) string {
	switch method {
	case "link", "code":
		return "mail"
	case "passkey", "key":
		return method
	default:
		return "social"
	}
}

// newToken returns a token for a session that was created at the given time. It
// expires with the maximum lifetime of the session at the latest.
func (s *Service) newToken(client *authcore.Client, created, now time.Time) authcore.SessionToken {
	expires := now.Add(s.lifetime(client))
	if last := created.Add(s.cfg.MaxLifetime); expires.After(last) {
		expires = last
	}
	return authcore.SessionToken{ID: authcore.RandomID(), Issued: now.Truncate(time.Second), Expires: expires.Truncate(time.Second)}
}

// CleanUserAgent returns the part of a User-Agent header that is stored.
func CleanUserAgent(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	if len(text) > maxUserAgent {
		text = strings.ToValidUTF8(text[:maxUserAgent], "")
	}
	return text
}
