package authcore

import (
	"context"
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

// Decide decides about a request as the site does. There is no I/O but in one
// case: when a token names a key that is unknown here, and nothing else speaks
// against it, the store is asked whether another node has made the key. While
// the store cannot tell, the decision is 503.
func (s *Service) Decide(ctx context.Context, site *gate.Site, request gate.Request) gate.Decision {
	decision := site.Decide(s.verifier, request, s.AllowsOrigin)
	if decision.Err != gate.ErrUnknownKey { //nolint:errorlint // the gate wraps nothing, and this is on every request's path
		return decision
	}
	token, err := gate.ParseAuthorization(request.Authorization)
	if err != nil {
		return decision
	}
	if id, ok := s.verifier.UnknownKey(token, request.Now); ok {
		if err := s.lookup.look(ctx, id); err != nil {
			return gate.Unavailable(err)
		}
	}
	return site.Decide(s.verifier, request, s.AllowsOrigin)
}

// Authenticate checks the values of the Authorization header. Its error is an
// *Unauthenticated, which carries the status and the exact text of the answer, or
// an *Error with 503 when the token could not be judged. See Decide about I/O.
func (s *Service) Authenticate(ctx context.Context, authorization []string) (*gate.Claims, error) {
	var site gate.Site
	decision := s.Decide(ctx, &site, gate.Request{Authorization: authorization, Now: s.now()})
	switch {
	case decision.Claims != nil:
		return decision.Claims, nil
	case decision.Status == http.StatusServiceUnavailable:
		return nil, unavailable(decision.Err)
	default:
		return nil, &Unauthenticated{Decision: decision}
	}
}

// Unauthenticated is the failure of Authenticate.
type Unauthenticated struct {
	Decision gate.Decision
}

// Error returns the reason, without anything of the token.
func (u *Unauthenticated) Error() string {
	return http.StatusText(http.StatusUnauthorized) + ": " + u.Decision.Reason
}
