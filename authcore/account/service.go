package account

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Revoker puts revocations in force on this node. It is implemented by
// *revocation.Follower.
type Revoker interface {
	Apply(revocations ...authcore.Revocation)
}

// Store contains the roles of authcore.Store that a Service uses.
type Store interface {
	authcore.Accounts
	authcore.RecordLister
	DeleteRecord(ctx context.Context, key authcore.RecordKey) error
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store Store
	// Rules are the rules of the realm. ProviderRules replaces some of them, by
	// the name of the provider; optional.
	Rules         *Rules
	ProviderRules map[string]ProviderRules
	// Clients and Providers are those of the realm. They decide which login
	// methods are usable.
	Clients   []authcore.Client
	Providers map[string]authcore.Provider
	Revoked   Revoker
	// Passkeys reports that users can log in with passkeys.
	Passkeys bool
	// Records lists the kinds of records that belong to users; optional.
	Records []RecordKind
	// Notices reports changes to the owners of accounts; nil sends none.
	Notices *Notices
	// TokenLifetime is the longest lifetime of a token, of all clients.
	TokenLifetime time.Duration
	// Observe receives events. It must not block. Default: events are dropped.
	Observe func(context.Context, authcore.Event)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Service manages accounts. Its methods are safe for concurrent use.
type Service struct {
	cfg Config
}

// New returns a Service. The configuration is not validated.
func New(cfg Config) *Service {
	cfg.Observe = authcore.Observer(cfg.Observe)
	cfg.Now = authcore.Clock(cfg.Now)
	return &Service{cfg: cfg}
}

// RulesFor returns the rules for logins through a provider.
func (s *Service) RulesFor(provider string) *Rules {
	return s.cfg.Rules.Through(s.cfg.ProviderRules[provider])
}

// CurrentUser returns the user of a token, or the 403 error for a disabled or
// deleted user.
func (s *Service) CurrentUser(ctx context.Context, claims *gate.Claims) (authcore.User, error) {
	return CurrentUser(ctx, s.cfg.Store, claims)
}

// CurrentUser is Service.CurrentUser for packages without a Service.
func CurrentUser(ctx context.Context, store authcore.Accounts, claims *gate.Claims) (authcore.User, error) {
	user, err := store.User(ctx, authcore.UserRef{ID: claims.Subject})
	switch {
	case err != nil:
		return authcore.User{}, authcore.StoreError(err, authcore.Inactive())
	case user.Disabled:
		return authcore.User{}, authcore.Inactive()
	}
	return user, nil
}

// current returns the account of a token's user, like CurrentUser.
func (s *Service) current(ctx context.Context, claims *gate.Claims, now time.Time) (authcore.Account, error) {
	account, err := s.cfg.Store.Account(ctx, authcore.UserRef{ID: claims.Subject}, now)
	switch {
	case err != nil:
		return authcore.Account{}, authcore.StoreError(err, authcore.Inactive())
	case account.User.Disabled:
		return authcore.Account{}, authcore.Inactive()
	}
	return account, nil
}

// update changes the account of a user as one step, and puts the revocations of
// the step in force on this node.
func (s *Service) update(ctx context.Context, userID string, change func(*authcore.Account) error) (authcore.Account, error) {
	var revocations []authcore.Revocation
	now := s.cfg.Now()
	account, err := s.cfg.Store.UpdateAccount(ctx, userID, now, func(account *authcore.Account) error {
		if err := change(account); err != nil {
			return err
		}
		s.cfg.Rules.UpdateRoles(account, now)
		revocations = account.Revocations
		return nil
	})
	if err == nil {
		s.cfg.Revoked.Apply(revocations...)
	}
	return account, err
}
