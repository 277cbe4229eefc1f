package apikey

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Kind is the kind of the records that find the owner of a key. The key of a record is
// that of the API key, its owner is the user.
const Kind = "api-key"

// Limits on keys.
const (
	// MaxLifetime limits the time from the creation of a key to its expiry.
	MaxLifetime = account.MaxKeyLifetime
	// minLifetime catches typing errors.
	minLifetime = time.Minute
	// maxKeys limits the keys of a user.
	maxKeys = 50
	// createdPerUser limits the keys that a user creates in createdWindow: each one that
	// is revoked early stays in the feed of revocations until it would have expired.
	createdPerUser = 30
	createdWindow  = 24 * time.Hour
)

// Signer signs keys. It is implemented by *keys.Ring.
type Signer interface {
	SignLasting(ctx context.Context, purpose gate.Purpose, statement gate.Statement, now time.Time) (string, error)
}

// Store contains the roles of authcore.Store that a Service uses.
type Store interface {
	authcore.Accounts
	authcore.Records
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store   Store
	Keys    Signer
	Revoked account.Revoker
	Limiter *ratelimit.Limiter
	// Notices reports new keys to the owners of accounts; nil sends none.
	Notices *account.Notices
	// Rules state whether users have second factors. Default: they have none.
	Rules *account.Rules
	// Issuer and Audience are stated in every key.
	Issuer, Audience string
	// Use selects who may create keys. Default: Off.
	Use Use
	// Observe receives events. It must not block. Default: events are dropped.
	Observe func(context.Context, authcore.Event)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Use selects who may create API keys of a realm.
type Use string

// The values of Use.
const (
	// Off means that the realm has no keys.
	Off Use = "off"
	// Operators means that operators create keys, and users see and revoke theirs.
	Operators Use = "operators"
	// Users means that users create keys, too.
	Users Use = "users"
)

// Uses lists the values of Use.
func Uses() []string { return []string{string(Off), string(Operators), string(Users)} }

// Service manages API keys. Its methods are safe for concurrent use.
type Service struct{ cfg Config }

// New returns a Service. The configuration is not validated.
func New(cfg Config) *Service {
	cfg.Use = cmp.Or(cfg.Use, Off)
	cfg.Rules = cmp.Or(cfg.Rules, new(account.Rules))
	cfg.Observe = authcore.Observer(cfg.Observe)
	cfg.Now = authcore.Clock(cfg.Now)
	return &Service{cfg: cfg}
}

// Use returns who may create keys.
func (s *Service) Use() Use { return s.cfg.Use }

// Key describes an API key.
type Key struct {
	ID, UserID string
	Name       string
	// Roles are those that the key was created with. The gate leaves out those that its
	// owner has lost.
	Roles            []string
	Created, Expires time.Time
	// LastUsed is the time of the last use, to about an hour; zero if there was none.
	LastUsed time.Time
}

func keyOf(session authcore.Session) Key {
	key := Key{
		ID: session.ID, UserID: session.UserID, Name: session.Name, Roles: session.Roles,
		Created: session.Created, Expires: session.Expires,
	}
	if session.LastSeen.After(session.Created) {
		key.LastUsed = session.LastSeen
	}
	return key
}

// List returns the live keys of a user, newest first.
func (s *Service) List(ctx context.Context, userID string) ([]Key, error) {
	stored, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: userID}, s.cfg.Now())
	if err != nil {
		return nil, authcore.StoreError(err, authcore.NotFound())
	}
	keys := []Key{}
	for _, session := range stored.Sessions {
		if session.IsKey() {
			keys = append(keys, keyOf(session))
		}
	}
	return keys, nil
}

// Revoke ends a key of a user. The error is 404 if the user has no such key.
func (s *Service) Revoke(ctx context.Context, userID, id string) error {
	var revocations []authcore.Revocation
	_, err := s.cfg.Store.UpdateAccount(ctx, userID, s.cfg.Now(), func(a *authcore.Account) error {
		if len(a.EndSessions(func(session authcore.Session) bool { return session.IsKey() && session.ID == id })) == 0 {
			return authcore.NotFound()
		}
		revocations = a.Revocations
		return nil
	})
	if err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	s.cfg.Revoked.Apply(revocations...)
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventKeyRevoked, Method: authcore.MethodKey, UserID: userID, SessionID: id})
	// The key has ended. What is left of it expires, and is hidden until then.
	_ = s.cfg.Store.DeleteRecord(ctx, authcore.RecordKey{Kind: Kind, Key: id})
	return nil
}

// RevokeAny ends a key of any user, for operators.
func (s *Service) RevokeAny(ctx context.Context, id string) error {
	record, err := s.cfg.Store.Record(ctx, authcore.RecordKey{Kind: Kind, Key: id}, s.cfg.Now())
	if err != nil {
		return authcore.StoreError(err, authcore.NotFound())
	}
	return s.Revoke(ctx, record.Owner, id)
}

// ListAll returns a page of the keys of all users or of one, newest first, for operators,
// and the cursor of the next page.
func (s *Service) ListAll(ctx context.Context, userID string, limit int, cursor string) ([]Key, string, error) {
	now := s.cfg.Now()
	filter := authcore.RecordFilter{Kind: Kind, Owner: userID, Limit: limit}
	records, next, err := s.cfg.Store.ListRecords(ctx, filter, now, cursor)
	if err != nil {
		return nil, "", authcore.Unavailable(err)
	}
	keys, owners := []Key{}, map[string][]Key{}
	for _, record := range records {
		owned, known := owners[record.Owner]
		if !known {
			if owned, err = s.List(ctx, record.Owner); err != nil && !isNotFound(err) {
				return nil, "", err
			}
			owners[record.Owner] = owned
		}
		for _, key := range owned { // a key that has ended is not among them
			if key.ID == record.Key {
				keys = append(keys, key)
			}
		}
	}
	return keys, next, nil
}

func isNotFound(err error) bool {
	public, ok := errors.AsType[*authcore.Error](err)
	return ok && public.Code == authcore.CodeNotFound
}
