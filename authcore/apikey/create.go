package apikey

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// maxName limits the name of a key, in characters.
const maxName = 100

// Request describes a key to create.
type Request struct {
	// Name distinguishes the owner's keys. It need not be unique.
	Name string
	// Roles are some of the owner's. None means that the key has none.
	Roles []string
	// Lifetime is required.
	Lifetime time.Duration
}

// Created is a new key.
type Created struct {
	Key
	// Secret is the key itself, which is not stored.
	Secret string
}

// Create creates a key for the token's user. The login must be recent, and have a second
// factor if the user has one.
func (s *Service) Create(ctx context.Context, claims *gate.Claims, caller authcore.Caller, r Request) (Created, error) {
	if s.cfg.Use != Users {
		return Created{}, closed()
	}
	if err := account.CheckRecentLogin(claims, s.cfg.Now(), "Log in again to create an API key."); err != nil {
		return Created{}, err
	}
	user, err := s.cfg.Store.User(ctx, authcore.UserRef{ID: claims.Subject})
	if err != nil {
		return Created{}, authcore.StoreError(err, authcore.NotFound())
	}
	if err := s.cfg.Rules.CheckFactor(claims, user); err != nil {
		return Created{}, err
	}
	var created Created
	var owner authcore.User
	check := ratelimit.Check{Name: "key-user", Party: claims.Subject, Rate: ratelimit.Rate{N: createdPerUser, Window: createdWindow}}
	err = s.cfg.Limiter.Do(ctx, []ratelimit.Check{check}, func() (err error) {
		created, owner, err = s.create(ctx, claims.Subject, claims.Session, r)
		return err
	})
	if err != nil {
		return Created{}, err
	}
	s.cfg.Notices.Send(ctx, owner, account.Notice{
		Kind: authcore.MailKeyCreated, Client: claims.Client, Caller: caller,
	})
	return created, nil
}

// CreateFor creates a key for a user, for operators.
func (s *Service) CreateFor(ctx context.Context, userID string, r Request) (Created, error) {
	if s.cfg.Use == Off {
		return Created{}, closed()
	}
	created, owner, err := s.create(ctx, userID, "", r)
	if err != nil {
		return Created{}, err
	}
	s.cfg.Notices.Send(ctx, owner, account.Notice{Kind: authcore.MailKeyCreated})
	return created, nil
}

// create signs a key for an account and stores it, unless the account has changed
// meanwhile. A session that is named has to be live: its token may have been revoked a
// moment ago.
func (s *Service) create(ctx context.Context, userID, sessionID string, r Request) (Created, authcore.User, error) {
	r.Name = account.CleanName(r.Name)
	if err := r.check(); err != nil {
		return Created{}, authcore.User{}, err
	}
	now := s.cfg.Now().Truncate(time.Second)
	stored, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: userID}, now)
	if err != nil {
		return Created{}, authcore.User{}, authcore.StoreError(err, authcore.NotFound())
	}
	if err := check(&stored, sessionID, r); err != nil {
		return Created{}, authcore.User{}, err
	}
	key := newSession(stored.User, r, now)
	secret, err := s.sign(ctx, stored.User, key)
	if err != nil {
		return Created{}, authcore.User{}, authcore.Unavailable(err)
	}
	if err := s.store(ctx, stored.User, sessionID, r, key); err != nil {
		return Created{}, authcore.User{}, err
	}
	s.cfg.Observe(ctx, authcore.Event{
		Name: authcore.EventKeyCreated, Method: authcore.MethodKey, UserID: userID, SessionID: key.ID, Detail: strings.Join(key.Roles, " "),
	})
	return Created{Key: keyOf(key), Secret: secret}, stored.User, nil
}

// newSession returns the session of a new key.
func newSession(user authcore.User, r Request, now time.Time) authcore.Session {
	expires := now.Add(r.Lifetime).Truncate(time.Second)
	return authcore.Session{
		ID: authcore.RandomID(), UserID: user.ID, Method: authcore.MethodKey, AMR: []string{gate.MethodKey}, Name: r.Name, Roles: r.Roles,
		Created: now, LastSeen: now, Expires: expires,
		Token: authcore.SessionToken{ID: authcore.RandomID(), Issued: now, Expires: expires},
	}
}

// sign returns the secret of a key. It states no time of login, so that it never counts
// as a recent login, and no client.
func (s *Service) sign(ctx context.Context, user authcore.User, key authcore.Session) (string, error) {
	statement := gate.Statement{Issuer: s.cfg.Issuer, Audience: s.cfg.Audience, Claims: gate.Claims{
		Subject: user.ID, ID: key.Token.ID, Session: key.ID, IssuedAt: key.Created.Unix(), ExpiresAt: key.Expires.Unix(),
		Method: key.Method, AMR: key.AMR, Name: user.Name(), Roles: key.Roles,
	}}
	if user.EmailVerified {
		statement.Email, statement.EmailVerified = user.Email, true
	}
	secret, err := s.cfg.Keys.SignLasting(ctx, gate.PurposeKey, statement, s.cfg.Now())
	if err == nil && len(secret) > gate.MaxToken {
		statement.Name = "" // see session.Service.Grant
		secret, err = s.cfg.Keys.SignLasting(ctx, gate.PurposeKey, statement, s.cfg.Now())
	}
	if err == nil && len(secret) > gate.MaxToken {
		err = fmt.Errorf("apikey: the key has %d bytes, at most %d are accepted; shorten the names of issuer and audience", len(secret), gate.MaxToken)
	}
	return gate.KeyPrefix + secret, err
}

// store stores the index and the session of a key. The index goes first: without its
// session it has no effect.
func (s *Service) store(ctx context.Context, user authcore.User, sessionID string, r Request, key authcore.Session) error {
	index := authcore.Record{RecordKey: authcore.RecordKey{Kind: Kind, Key: key.ID}, Owner: user.ID, Created: key.Created, Expires: key.Expires}
	if err := s.cfg.Store.PutRecord(ctx, index, authcore.PutOptions{Now: key.Created, Keep: 2 * maxKeys, OwnedByUser: true}); err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	_, err := s.cfg.Store.UpdateAccount(ctx, user.ID, key.Created, func(a *authcore.Account) error {
		if err := check(a, sessionID, r); err != nil {
			return err
		}
		if a.User.Email != user.Email || a.User.EmailVerified != user.EmailVerified {
			return fmt.Errorf("%w: the address has changed meanwhile", authcore.ErrUnavailable) // the key states it
		}
		a.Sessions = append([]authcore.Session{key}, a.Sessions...)
		return nil
	})
	if err == nil {
		return nil
	}
	_ = s.cfg.Store.DeleteRecord(ctx, index.RecordKey) // it has no effect
	return authcore.StoreError(err, authcore.NotFound())
}

// check returns the fault of a request for an account.
func check(a *authcore.Account, sessionID string, r Request) error {
	n := 0
	for _, session := range a.Sessions {
		if session.IsKey() {
			n++
		}
	}
	switch {
	case a.User.Disabled:
		return authcore.Inactive()
	case sessionID != "" && !slices.ContainsFunc(a.Sessions, func(s authcore.Session) bool { return s.ID == sessionID && !s.IsKey() }):
		return authcore.InvalidToken()
	case n >= maxKeys:
		return authcore.NewError(http.StatusConflict, authcore.CodeTooManyKeys,
			fmt.Sprintf("There are %d API keys already. Revoke one first.", maxKeys))
	}
	for _, role := range r.Roles {
		if !slices.Contains(a.User.Roles, role) {
			return authcore.FieldError(authcore.CodeInvalidRequest, "roles", "The account does not have all of these roles.")
		}
	}
	return nil
}

// check returns the faults of the request itself, and sorts its roles.
func (r *Request) check() error {
	fields := map[string][]string{}
	roles, err := authcore.ParseRoles(r.Roles)
	if r.Roles = roles; err != nil {
		fields["roles"] = []string{err.Error() + "."}
	}
	switch {
	case r.Name == "":
		fields["name"] = []string{"This field may not be blank."}
	case utf8.RuneCountInString(r.Name) > maxName:
		fields["name"] = []string{fmt.Sprintf("Ensure this field has no more than %d characters.", maxName)}
	case strings.Contains(r.Name, gate.KeyPrefix):
		fields["name"] = []string{"The name must not contain a key."}
	}
	if r.Lifetime < minLifetime || r.Lifetime > MaxLifetime {
		fields["expires_in"] = []string{fmt.Sprintf("Must be between %d and %d seconds.", int(minLifetime.Seconds()), int(MaxLifetime.Seconds()))}
	}
	return authcore.FieldErrors(fields)
}

// closed returns the 403 error of a realm in which the caller cannot create keys.
func closed() error {
	return authcore.NewError(http.StatusForbidden, authcore.CodeKeysClosed, "API keys cannot be created here.")
}

// CreateService creates a key for the service account of this name. The account is
// created with the roles of the request if it does not exist.
func (s *Service) CreateService(ctx context.Context, name string, r Request) (Created, error) {
	if s.cfg.Use == Off {
		return Created{}, closed()
	}
	if name = account.CleanName(name); name == "" || utf8.RuneCountInString(name) > maxName {
		return Created{}, authcore.FieldError(authcore.CodeInvalidRequest, "service", fmt.Sprintf("Use 1 to %d characters.", maxName))
	}
	r.Name = account.CleanName(r.Name)
	if err := r.check(); err != nil { // before the account is created
		return Created{}, err
	}
	user, err := s.service(ctx, name, r.Roles)
	if err != nil {
		return Created{}, err
	}
	return s.CreateFor(ctx, user.ID, r)
}

// serviceProvider is the Identity.Provider of service accounts. No provider can have this
// name, so that no login has such an identity.
const serviceProvider = "(service)"

// service returns the service account of this name, a new one if it does not exist.
func (s *Service) service(ctx context.Context, name string, roles []string) (authcore.User, error) {
	now := s.cfg.Now()
	id, created := authcore.RandomID(), false
	identity := authcore.Identity{Provider: serviceProvider, Subject: name, PublicID: authcore.RandomID(), UserID: id, Created: now}
	stored, err := s.cfg.Store.Login(ctx, authcore.LoginStep{
		Now: now, Refs: []authcore.UserRef{{Identity: identity.Key()}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			known := found.Accounts[0]
			if created = known.User.ID == ""; !created {
				return known, nil
			}
			user := authcore.User{ID: id, FirstName: name, Nickname: name, Roles: roles, Granted: roles, Created: now}
			return authcore.Account{User: user, Identities: []authcore.Identity{identity}}, nil
		},
	})
	if err != nil { // ErrTaken: created by another node meanwhile
		return authcore.User{}, authcore.Unavailable(err)
	}
	if created {
		s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventUserCreated, UserID: stored.User.ID, Detail: strings.Join(roles, " ")})
	}
	return stored.User, nil
}
