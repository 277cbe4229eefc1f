package factor

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// Store contains the roles of authcore.Store that a Service uses.
type Store interface {
	authcore.Accounts
	authcore.Records
}

// Sealer seals the state of an enrolment. It is implemented by *keys.Ring.
type Sealer interface {
	Seal(purpose string, plaintext []byte) (string, error)
	Open(purpose, text string) ([]byte, error)
}

// Config configures a Service. All fields are required unless noted otherwise.
type Config struct {
	Store    Store
	Sessions *session.Service
	Keys     Sealer
	Limiter  *ratelimit.Limiter
	Limits   ratelimit.Limits
	Rules    *account.Rules
	// Revoked puts revocations in force on this node.
	Revoked account.Revoker
	// Notices reports changes to the owners of accounts; nil sends none.
	Notices *account.Notices
	// Title names the site in authenticator applications.
	Title string
	// Remember is the time for which a device is remembered; zero remembers none.
	Remember time.Duration
	// Observe receives events. It must not block. Default: events are dropped.
	Observe func(context.Context, authcore.Event)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Service manages second factors. Its methods are safe for concurrent use.
type Service struct {
	cfg   Config
	store Store

	// mu protects key, which is nil until it was loaded.
	mu  sync.Mutex
	key []byte
}

// New returns a Service. The configuration is not validated.
func New(cfg Config) *Service {
	cfg.Observe = authcore.Observer(cfg.Observe)
	cfg.Now = authcore.Clock(cfg.Now)
	return &Service{cfg: cfg, store: cfg.Store}
}

// Offered reports whether users of the realm may have a second factor.
func (s *Service) Offered() bool { return s.cfg.Rules.OffersFactors() }

// invalidCode is the error of every code that is not accepted: wrong, used, or that of a
// factor that the user does not have.
func invalidCode() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidCode, "The code is invalid or was used already.")
}

// RecordKinds describes the records of this package that belong to users.
func RecordKinds() []account.RecordKind {
	return []account.RecordKind{
		{Kind: authcore.FactorTOTP, Fields: []string{"last_used"}},
		{Kind: authcore.FactorRecovery, Fields: []string{"last_used"}},
		{Kind: deviceKind, Fields: []string{"user_agent"}},
	}
}
