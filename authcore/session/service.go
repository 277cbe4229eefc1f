package session

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Defaults of Config.
const (
	DefaultMaxLifetime  = 90 * 24 * time.Hour
	DefaultRefreshGrace = 30 * time.Second
	DefaultMaxSessions  = 100
)

// Signer signs tokens. It is implemented by *keys.Ring.
type Signer interface {
	Sign(purpose gate.Purpose, statement gate.Statement, now time.Time) (string, error)
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store   authcore.Accounts
	Keys    Signer
	Revoked account.Revoker
	Limiter *ratelimit.Limiter
	Limits  ratelimit.Limits
	Rules   *account.Rules
	Clients []authcore.Client
	// Issuer and Audience are stated in every token.
	Issuer, Audience string
	// Lifetime of a token, unless its client has one of its own.
	Lifetime time.Duration
	// MaxLifetime limits the time from the login to the expiry of the last token.
	// Default: DefaultMaxLifetime.
	MaxLifetime time.Duration
	// RefreshGrace is the time for which a superseded token can be refreshed.
	// Default: DefaultRefreshGrace.
	RefreshGrace time.Duration
	// MaxSessions limits the sessions of a user. Default: DefaultMaxSessions.
	MaxSessions int
	// Observe receives events. It must not block. Default: events are dropped.
	Observe func(context.Context, authcore.Event)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Service issues and ends sessions. Its methods are safe for concurrent use.
type Service struct {
	cfg     Config
	clients map[string]*authcore.Client
	seen    *seen
}

// New returns a Service. The configuration is not validated.
func New(cfg Config) *Service {
	cfg.MaxLifetime = cmp.Or(cfg.MaxLifetime, DefaultMaxLifetime)
	cfg.RefreshGrace = cmp.Or(cfg.RefreshGrace, DefaultRefreshGrace)
	cfg.MaxSessions = cmp.Or(cfg.MaxSessions, DefaultMaxSessions)
	cfg.Observe = authcore.Observer(cfg.Observe)
	cfg.Now = authcore.Clock(cfg.Now)
	s := &Service{cfg: cfg, clients: map[string]*authcore.Client{}, seen: newSeen()}
	for i := range cfg.Clients {
		s.clients[cfg.Clients[i].Name] = &cfg.Clients[i]
	}
	return s
}

// MaxSessions returns the limit for [authcore.Account.Start].
func (s *Service) MaxSessions() int { return s.cfg.MaxSessions }

// Applied puts the revocations of a step of the store in force on this node.
func (s *Service) Applied(revocations []authcore.Revocation) { s.cfg.Revoked.Apply(revocations...) }

// lifetime returns the lifetime of the tokens of a client.
func (s *Service) lifetime(client *authcore.Client) time.Duration {
	if client.Lifetime > 0 {
		return client.Lifetime
	}
	return s.cfg.Lifetime
}

// update changes the account of a user as one step, and puts the revocations of
// the step in force on this node.
func (s *Service) update(ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	var revocations []authcore.Revocation
	stored, err := s.cfg.Store.UpdateAccount(ctx, userID, now, func(a *authcore.Account) error {
		if err := change(a); err != nil {
			return err
		}
		s.cfg.Rules.UpdateRoles(a, now)
		revocations = a.Revocations
		return nil
	})
	if err != nil {
		return stored, err
	}
	s.Applied(revocations)
	if slices.ContainsFunc(revocations, func(r authcore.Revocation) bool { return r.Kind == authcore.RevokeRoles }) {
		s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventRolesChanged, UserID: userID, Detail: strings.Join(stored.User.Roles, " ")})
	}
	return stored, nil
}
