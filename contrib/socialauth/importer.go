package socialauth

import (
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

const (
	// DefaultPendingLifetime is the time for which a former subject can be used.
	DefaultPendingLifetime = 365 * 24 * time.Hour
	// MaxImportedLogins limits the logins of an ImportedUser.
	MaxImportedLogins = 50

	maxName = 150 // characters
)

// Store contains the roles of authcore.Store that an Importer uses.
type Store interface {
	authcore.Accounts
	authcore.Transfer
}

// Config configures an Importer. All fields are required unless noted otherwise.
type Config struct {
	Store Store
	// Accounts has the rules of the realm.
	Accounts *account.Service
	// Providers by name.
	Providers map[string]authcore.Provider
	// PendingLifetime is the time after the import for which a former subject can
	// be used. Default: DefaultPendingLifetime.
	PendingLifetime time.Duration
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Importer imports users. Its methods are safe for concurrent use.
type Importer struct{ cfg Config }

// New returns an Importer.
func New(cfg Config) *Importer {
	if cfg.PendingLifetime == 0 {
		cfg.PendingLifetime = DefaultPendingLifetime
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Importer{cfg: cfg}
}

// ImportedUser is a user of another system.
type ImportedUser struct {
	Email string `json:"email,omitempty"`
	// EmailVerified reports that the other system verified Email. The operator
	// vouches for it.
	EmailVerified bool   `json:"email_verified,omitempty"`
	FirstName     string `json:"first_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	// Roles are granted to a user that is created.
	Roles  []string        `json:"roles,omitempty"`
	Logins []ImportedLogin `json:"logins"`
}

// ImportedLogin is an account at a provider, as the other system identified it.
type ImportedLogin struct {
	// Provider is the configured name.
	Provider string `json:"provider"`
	// UID and TransferSub are those of authcore.Importer.
	UID         string `json:"uid,omitempty"`
	TransferSub string `json:"transfer_sub,omitempty"`
}

// ImportResult reports the import of an ImportedUser.
type ImportResult struct {
	// UserID is the user that was found or created. It is empty if every
	// login was refused, and if a dry run would create the user.
	UserID string `json:"id"`
	// IsNew reports that the user was created.
	IsNew bool `json:"is_new"`
	// Stored and Present count the identities that were stored and those that
	// existed before.
	Stored  int `json:"stored"`
	Present int `json:"present"`
	// Refused has the reason for each login that was refused, otherwise "".
	Refused []string `json:"refused"`
}

// Import imports a user as one step. A login that is refused is reported in the
// result and does not affect the others. With dry nothing is stored. The error is
// a 400 for a user that is not valid, otherwise it reports a failure of the store;
// then nothing of this user was stored.
func (i *Importer) Import(ctx context.Context, user ImportedUser, dry bool) (ImportResult, error) {
	p, err := i.plan(user)
	if err != nil {
		return ImportResult{}, err
	}
	if err := p.lookUp(ctx); err != nil {
		return ImportResult{}, authcore.Unavailable(err)
	}
	items := p.items()
	if dry || len(items) == 0 {
		return p.result, nil
	}
	n, err := i.cfg.Store.Import(ctx, items)
	switch {
	case errors.Is(err, authcore.ErrTaken) || errors.Is(err, authcore.ErrNotFound):
		return p.conflict(), nil
	case err != nil:
		return ImportResult{}, authcore.Unavailable(err)
	}
	p.stored(n)
	return p.result, nil
}
