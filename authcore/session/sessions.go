package authcore

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Refresh gives the session of a token a fresh token and a fresh lifetime; the
// old token ends at once. Of two calls with one token one succeeds.
func (s *Service) Refresh(ctx context.Context, claims *gate.Claims) (Login, error) {
	if err := s.throttle(ctx, limit{"refresh-session", claims.Session, s.cfg.Limits.RefreshPerSession}); err != nil {
		return Login{}, err
	}
	user, err := s.CurrentUser(ctx, claims)
	if err != nil {
		return Login{}, err
	}
	if !s.cfg.Accounts.admits(claim{user.Email, user.EmailVerified}) {
		return Login{}, notAdmitted() // else who is logged in would stay so for ever
	}
	next, err := s.newID()
	if err != nil {
		return Login{}, unavailable(err)
	}
	now := s.now()
	expires := now.Add(s.lifetime(s.clientNamed(claims.Client))).Truncate(time.Second)
	session, err := s.store.RenewSession(ctx, claims.Session, claims.ID, next, expires, now)
	switch {
	case errors.Is(err, ErrNotFound):
		return Login{}, ended()
	case errors.Is(err, ErrUserInactive):
		return Login{}, inactive()
	case err != nil:
		return Login{}, unavailable(err)
	}
	s.revoked.apply(Revocation{Kind: RevokeToken, ID: claims.ID, Until: time.Unix(claims.ExpiresAt, 0)})
	token, err := s.sign(session, user, now)
	if err != nil {
		return Login{}, unavailable(err)
	}
	s.cfg.Observe(Event{Name: EventRefresh, Method: session.Method, Client: session.Client, UserID: user.ID, SessionID: session.ID})
	return Login{User: user, Session: session, Token: token}, nil
}

// Logout ends the session of a token, or all sessions of its user.
func (s *Service) Logout(ctx context.Context, claims *gate.Claims, everywhere bool) error {
	_, err := s.endSessions(ctx, claims, func(session Session) bool {
		return everywhere || session.ID == claims.Session
	})
	return err
}

// Sessions returns the live sessions of the token's user, newest first.
func (s *Service) Sessions(ctx context.Context, claims *gate.Claims) ([]Session, error) {
	list, err := s.store.SessionsOf(ctx, claims.Subject, s.now())
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// EndSession ends one session of the token's user, and none of anybody else.
func (s *Service) EndSession(ctx context.Context, claims *gate.Claims, id string) error {
	ended, err := s.endSessions(ctx, claims, func(session Session) bool { return session.ID == id })
	if err == nil && len(ended) == 0 {
		return notFound()
	}
	return err
}

func (s *Service) endSessions(ctx context.Context, claims *gate.Claims, which func(Session) bool) ([]Session, error) {
	ended, err := s.store.EndSessions(ctx, claims.Subject, which, s.now())
	if err != nil {
		return nil, unavailable(err)
	}
	for _, session := range ended {
		s.revoked.apply(Revocation{Kind: RevokeSession, ID: session.ID, Until: session.Expires})
		s.cfg.Observe(Event{
			Name: EventLogout, Method: session.Method, Client: session.Client,
			UserID: session.UserID, SessionID: session.ID,
		})
	}
	return ended, nil
}

// clientNamed returns the client of a session. One that was taken out of the
// configuration leaves the realm's defaults.
func (s *Service) clientNamed(name string) *Client {
	for i := range s.cfg.Clients {
		if s.cfg.Clients[i].Name == name {
			return &s.cfg.Clients[i]
		}
	}
	return &Client{Name: name}
}

// ended is the answer to a token that was valid a moment ago.
func ended() *Error {
	return &Error{Status: http.StatusUnauthorized, Code: CodeInvalidToken, Detail: "Invalid token."}
}
