package session

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// maxSuperseded limits Session.Superseded. While the list is full, the newest
// token is returned instead of a successor.
const maxSuperseded = 32

// Refresh returns a successor of the newest token, or the newest token again if
// the token of claims was superseded within the grace. No token is invalidated. A
// token that was superseded earlier ends the session: two parties hold its tokens,
// and one of them may have stolen them (RFC 9700, section 4.14.2).
func (s *Service) Refresh(ctx context.Context, claims *gate.Claims) (Grant, error) {
	var grant Grant
	check := ratelimit.Check{Name: "refresh-session", Party: claims.Session, Rate: s.cfg.Limits.RefreshPerSession}
	err := s.cfg.Limiter.Do(ctx, []ratelimit.Check{check}, func() (err error) {
		grant, err = s.refresh(ctx, claims)
		return err
	})
	return grant, err
}

func (s *Service) refresh(ctx context.Context, claims *gate.Claims) (Grant, error) {
	var session authcore.Session
	var reused bool
	now := s.cfg.Now()
	stored, err := s.update(ctx, claims.Subject, now, func(a *authcore.Account) (err error) {
		session, reused, err = s.renew(a, claims, now)
		return err
	})
	if err != nil {
		return Grant{}, authcore.StoreError(err, authcore.Inactive())
	}
	event := authcore.Event{
		Name: authcore.EventRefresh, Method: session.Method, Client: session.Client, UserID: claims.Subject, SessionID: session.ID,
	}
	if reused {
		event.Name, event.Code = authcore.EventReuse, authcore.CodeInvalidToken
		s.cfg.Observe(ctx, event)
		return Grant{}, authcore.InvalidToken()
	}
	s.cfg.Observe(ctx, event)
	return s.Grant(stored.User, session, false)
}

// renew changes the session of a token in its account, or ends it and reports that an old
// token was reused.
func (s *Service) renew(a *authcore.Account, claims *gate.Claims, now time.Time) (renewed authcore.Session, reused bool, err error) {
	session, err := s.refreshable(a, claims.Session)
	if err != nil {
		return authcore.Session{}, false, err
	}
	live := s.inGrace(session.Superseded, now)
	current := claims.ID == session.Token.ID
	if !current && !slices.ContainsFunc(live, func(token authcore.SupersededToken) bool { return token.ID == claims.ID }) {
		ended := a.EndSessions(func(other authcore.Session) bool { return other.ID == claims.Session })
		return ended[0], true, nil
	}
	if current && len(live) < maxSuperseded || !now.Before(session.Token.Expires) {
		if err := s.succeed(session, live, now); err != nil {
			return authcore.Session{}, false, err
		}
	}
	return *session, false, nil
}

// refreshable returns a session of an account that may get another token.
func (s *Service) refreshable(a *authcore.Account, id string) (*authcore.Session, error) {
	session, err := s.admitted(a, id)
	if err == nil && s.lacksFactor(a.User, session) {
		return nil, authcore.InvalidToken()
	}
	return session, err
}

// admitted returns a session of an account, or the reason why the rules refuse it now.
func (s *Service) admitted(a *authcore.Account, id string) (*authcore.Session, error) {
	i := slices.IndexFunc(a.Sessions, func(session authcore.Session) bool { return session.ID == id && !session.IsKey() })
	switch {
	case a.User.Disabled:
		return nil, authcore.Inactive()
	case i < 0:
		return nil, authcore.InvalidToken()
	case s.clients[a.Sessions[i].Client] == nil:
		return nil, UnknownClient()
	case !s.cfg.Rules.AdmitsUser(a.User, identityOf(a, &a.Sessions[i])):
		return nil, account.NotAdmitted()
	}
	return &a.Sessions[i], nil
}

// succeed replaces the newest token of a session by a successor. The expiry of the
// session never moves back, so that a revocation covers all of its tokens.
func (s *Service) succeed(session *authcore.Session, live []authcore.SupersededToken, now time.Time) error {
	token := s.newToken(s.clients[session.Client], session.Created, now)
	if !token.Expires.After(now) {
		return authcore.InvalidToken() // the session is at its maximum lifetime
	}
	token.Expires = s.orderly(token.Expires, session)
	session.Superseded = append([]authcore.SupersededToken{{ID: session.Token.ID, At: now}}, live[:min(len(live), maxSuperseded-1)]...)
	session.Token = token
	if token.Expires.After(session.Expires) {
		session.Expires = token.Expires
	}
	if now.After(session.LastSeen) {
		session.LastSeen = now
	}
	return nil
}

// orderly returns the expiry of a successor, moved so that it is later than that of
// the newest token if both are about the same: of tokens that were issued in one
// second, or by nodes whose clocks differ, the newer one expires later. Clients
// depend on it; see the package documentation.
func (s *Service) orderly(expires time.Time, session *authcore.Session) time.Time {
	newest := session.Token.Expires
	if behind := newest.Sub(expires); behind < 0 || behind >= s.cfg.RefreshGrace {
		return expires
	}
	last := session.Created.Add(s.cfg.MaxLifetime).Truncate(time.Second)
	if next := newest.Add(time.Second); next.Before(last) {
		return next
	}
	return last
}

// inGrace returns the tokens that were superseded within the grace. A time far
// ahead was taken from a clock that has been set back since.
func (s *Service) inGrace(tokens []authcore.SupersededToken, now time.Time) []authcore.SupersededToken {
	return slices.DeleteFunc(slices.Clone(tokens), func(token authcore.SupersededToken) bool {
		return now.Sub(token.At).Abs() >= s.cfg.RefreshGrace
	})
}

// identityOf returns the active identity that began a session, or nil.
func identityOf(a *authcore.Account, session *authcore.Session) *authcore.Identity {
	i := slices.IndexFunc(a.Identities, func(identity authcore.Identity) bool {
		return session.Identity != "" && identity.PublicID == session.Identity && identity.State == authcore.IdentityActive
	})
	if i < 0 {
		return nil
	}
	return &a.Identities[i]
}

// UnknownClient returns the error for a session whose client was removed from the
// configuration.
func UnknownClient() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidClient, "The client of this session is not registered.")
}
