package authcore

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// maxUserAgent bounds what is kept of a User-Agent header, in bytes.
const maxUserAgent = 256

// Login is the outcome of a login: the user, the session and its token.
type Login struct {
	User    User
	Session Session
	// Token is the signed token; it is a secret.
	Token string
	// IsNew says that the login made the account.
	IsNew bool
}

// ExpiresAt is when the token stops being valid.
func (l Login) ExpiresAt() time.Time { return l.Session.Expires }

// admit checks who wants to log in before anything is spent.
func (s *Service) admit(ctx context.Context, clientKey string, caller Caller) (*Client, error) {
	client, err := s.clients.find(clientKey)
	if err != nil {
		return nil, err
	}
	return client, s.throttle(ctx, limit{"login-ip", party(caller.IP), s.cfg.Limits.LoginPerIP})
}

// startSession records a session and signs its first token. The record comes
// first: there is no token whose session is unknown.
func (s *Service) startSession(ctx context.Context, user User, isNew bool, method string, client *Client, caller Caller) (Login, error) {
	id, err := s.newID()
	if err != nil {
		return s.failed(method, client, unavailable(err))
	}
	tokenID, err := s.newID()
	if err != nil {
		return s.failed(method, client, unavailable(err))
	}
	now := s.now()
	session := Session{
		ID: id, UserID: user.ID, TokenID: tokenID, Client: client.Name, Method: method,
		Created: now, LastSeen: now, Expires: now.Add(s.lifetime(client)).Truncate(time.Second),
		UserAgent: cleanUserAgent(caller.UserAgent),
	}
	if caller.IP.IsValid() {
		session.IP = caller.IP.Unmap().String()
	}
	err = s.store.PutSession(ctx, session)
	switch {
	case errors.Is(err, ErrUserInactive):
		return s.failed(method, client, inactive())
	case err != nil:
		return s.failed(method, client, unavailable(err))
	}
	token, err := s.sign(session, user, now)
	if err != nil {
		return s.failed(method, client, unavailable(err))
	}
	if isNew {
		s.cfg.Observe(Event{Name: EventSignup, Method: method, Client: client.Name, UserID: user.ID, SessionID: id})
	}
	s.cfg.Observe(Event{Name: EventLogin, Method: method, Client: client.Name, UserID: user.ID, SessionID: id})
	return Login{User: user, Session: session, Token: token, IsNew: isNew}, nil
}

func (s *Service) lifetime(client *Client) time.Duration {
	if client.Lifetime > 0 {
		return client.Lifetime
	}
	return s.cfg.TokenLifetime
}

// failed reports a login that did not happen and passes its error on.
func (s *Service) failed(method string, client *Client, err error) (Login, error) {
	event := Event{Name: EventLoginFailed, Method: method, Code: CodeUnavailable}
	if client != nil {
		event.Client = client.Name
	}
	var public *Error
	if errors.As(err, &public) {
		event.Code = public.Code
	}
	s.cfg.Observe(event)
	return Login{}, err
}

func cleanUserAgent(text string) string {
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
