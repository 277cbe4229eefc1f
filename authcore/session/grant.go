package session

import (
	"fmt"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Grant is the result of a login or refresh.
type Grant struct {
	User    authcore.User
	Session authcore.Session
	// Token is the newest token of the session, signed. It is a secret.
	Token string
	// IsNew reports that the login created the account.
	IsNew bool
}

// ExpiresAt returns the time at which the token expires.
func (g Grant) ExpiresAt() time.Time { return g.Session.Token.Expires }

// maxNamed limits the length of a token with a name, so that it fits into a cookie.
const maxNamed = 3400

// Grant signs the newest token of a session.
//
// The gate refuses tokens above a size (CWE-770), and browsers drop large cookies. A
// name of characters that JSON escapes can exceed it, so that such a name is left out of
// the token.
func (s *Service) Grant(user authcore.User, session authcore.Session, isNew bool) (Grant, error) {
	statement := gate.Statement{Issuer: s.cfg.Issuer, Audience: s.cfg.Audience, Claims: claimsOf(user, session)}
	token, err := s.cfg.Keys.Sign(gate.PurposeLogin, statement, s.cfg.Now())
	if err == nil && len(token) > maxNamed {
		statement.Name = ""
		token, err = s.cfg.Keys.Sign(gate.PurposeLogin, statement, s.cfg.Now())
	}
	if err == nil && len(token) > gate.MaxToken {
		err = fmt.Errorf("session: token has %d bytes, at most %d are accepted; shorten the names of issuer, audience and client", len(token), gate.MaxToken)
	}
	if err != nil {
		return Grant{}, authcore.Unavailable(err)
	}
	return Grant{User: user, Session: session, Token: token, IsNew: isNew}, nil
}

// claimsOf returns the claims of the newest token of a session (RFC 7519).
func claimsOf(user authcore.User, session authcore.Session) gate.Claims {
	claims := gate.Claims{
		Subject:   user.ID,
		ID:        session.Token.ID,
		Session:   session.ID,
		IssuedAt:  session.Token.Issued.Unix(),
		ExpiresAt: session.Token.Expires.Unix(),
		AuthTime:  session.Created.Unix(),
		Client:    session.Client,
		Method:    session.Method,
		AMR:       session.AMR,
		ACR:       session.ACR,
		Name:      user.Name(),
		Roles:     user.Roles,
	}
	if user.EmailVerified {
		claims.Email, claims.EmailVerified = user.Email, true
	}
	return claims
}

// Assert signs a short-lived statement for an upstream about the user of a
// request. The audience names the upstream. The statement is not a login token:
// the gate refuses it.
func (s *Service) Assert(claims *gate.Claims, audience string, lifetime time.Duration) (string, error) {
	now := s.cfg.Now()
	statement := gate.Statement{Issuer: s.cfg.Issuer, Audience: audience, Claims: *claims}
	statement.IssuedAt = now.Unix()
	statement.ExpiresAt = min(now.Add(lifetime).Unix(), claims.ExpiresAt)
	return s.cfg.Keys.Sign(gate.PurposeAssertion, statement, now)
}
