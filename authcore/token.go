package authcore

import (
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// sign makes the token of a session (RFC 7519).
func (s *Service) sign(session Session, user User, now time.Time) (string, error) {
	claims := gate.Claims{
		Subject:   user.ID,
		ID:        session.TokenID,
		Session:   session.ID,
		IssuedAt:  now.Unix(),
		ExpiresAt: session.Expires.Unix(),
		AuthTime:  session.Created.Unix(),
		Client:    session.Client,
		Method:    session.Method,
		Name:      user.Name(),
	}
	if user.EmailVerified {
		claims.Email, claims.EmailVerified = user.Email, true
	}
	return s.keys.sign(gate.PurposeLogin, gate.Statement{Issuer: s.cfg.Issuer, Audience: s.cfg.Audience, Claims: claims}, now)
}

// Assert signs a short-lived statement for an upstream about whoever made a
// request. It is no login token: this edge refuses it. Audience says for which
// upstream it is meant.
func (s *Service) Assert(claims *gate.Claims, audience string, lifetime time.Duration) (string, error) {
	now := s.now()
	statement := gate.Statement{Issuer: s.cfg.Issuer, Audience: audience, Claims: *claims}
	statement.IssuedAt = now.Unix()
	statement.ExpiresAt = min(now.Add(lifetime).Unix(), claims.ExpiresAt)
	return s.keys.sign(gate.PurposeAssertion, statement, now)
}

// Authenticate checks the values of the Authorization header, without I/O. Its
// error carries the status and the exact text of the answer.
func (s *Service) Authenticate(authorization []string) (*gate.Claims, error) {
	var policy gate.Policy
	decision := policy.Decide(s.verifier, gate.Request{Authorization: authorization, Now: s.now()})
	if decision.Claims == nil {
		return nil, &Unauthenticated{Decision: decision}
	}
	return decision.Claims, nil
}

// Unauthenticated is the failure of Authenticate.
type Unauthenticated struct {
	Decision gate.Decision
}

// Error returns the reason, without anything of the token.
func (u *Unauthenticated) Error() string {
	return http.StatusText(http.StatusUnauthorized) + ": " + u.Decision.Reason
}
