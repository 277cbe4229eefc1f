package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Logout ends the session of a token, which may be superseded, or all logins of its
// user. API keys stay. It succeeds if the session has ended already.
func (s *Service) Logout(ctx context.Context, claims *gate.Claims, everywhere bool) error {
	_, err := s.end(ctx, claims, func(a *authcore.Account) {
		if everywhere {
			a.User.DeviceEpoch++
		}
		ended := a.EndSessions(func(session authcore.Session) bool {
			return everywhere && !session.IsKey() || session.ID == claims.Session
		})
		if !slices.ContainsFunc(ended, func(session authcore.Session) bool { return session.ID == claims.Session }) {
			// The stored session cannot be decoded. Its tokens have to end too.
			a.Revocations = append(a.Revocations, authcore.Revocation{
				Kind: authcore.RevokeSession, ID: claims.Session, Until: s.lastExpiry(claims),
			})
		}
	})
	if errors.Is(err, authcore.ErrNotFound) {
		return nil // the user was deleted, which ended the tokens
	}
	if err != nil {
		return authcore.Unavailable(err)
	}
	return nil
}

// lastExpiry returns a time after the expiry of all tokens of a session that is
// known by one of its tokens only.
func (s *Service) lastExpiry(claims *gate.Claims) time.Time {
	last := time.Unix(claims.AuthTime, 0).Add(s.cfg.MaxLifetime)
	if expires := time.Unix(claims.ExpiresAt, 0); expires.After(last) {
		last = expires
	}
	return last.UTC()
}

// List returns the live sessions of the token's user without API keys, newest first.
func (s *Service) List(ctx context.Context, claims *gate.Claims) ([]authcore.Session, error) {
	stored, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: claims.Subject}, s.cfg.Now())
	if err != nil {
		return nil, authcore.StoreError(err, authcore.Inactive())
	}
	return slices.DeleteFunc(stored.Sessions, authcore.Session.IsKey), nil
}

// End ends one session of the token's user. The error is 404 if the user has no
// session with this ID. API keys are not among them.
func (s *Service) End(ctx context.Context, claims *gate.Claims, id string) error {
	ended, err := s.end(ctx, claims, func(a *authcore.Account) {
		a.EndSessions(func(session authcore.Session) bool { return session.ID == id && !session.IsKey() })
	})
	switch {
	case err != nil:
		return authcore.StoreError(err, authcore.Inactive())
	case ended == 0:
		return authcore.NotFound()
	}
	return nil
}

// end changes the account of a token's user, reports a logout for each session
// that the change ended, and returns their number.
func (s *Service) end(ctx context.Context, claims *gate.Claims, change func(*authcore.Account)) (int, error) {
	var ended []authcore.Session
	_, err := s.update(ctx, claims.Subject, s.cfg.Now(), func(a *authcore.Account) error {
		before := slices.Clone(a.Sessions)
		change(a)
		ended = slices.DeleteFunc(before, func(session authcore.Session) bool {
			return slices.ContainsFunc(a.Sessions, func(left authcore.Session) bool { return left.ID == session.ID })
		})
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, session := range ended {
		s.cfg.Observe(ctx, authcore.Event{
			Name: authcore.EventLogout, Method: session.Method, Client: session.Client,
			UserID: claims.Subject, SessionID: session.ID,
		})
	}
	return len(ended), nil
}
