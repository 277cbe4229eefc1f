package factor_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// countedStore fails at one call, counted from 1, and at all later ones.
type countedStore struct {
	authcore.Store
	calls, failsAt int
}

var errDown = errors.Join(authcore.ErrUnavailable, errors.New("down"))

func (s *countedStore) err() error {
	if s.calls++; s.failsAt > 0 && s.calls >= s.failsAt {
		return errDown
	}
	return nil
}

func (s *countedStore) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	if err := s.err(); err != nil {
		return authcore.User{}, err
	}
	return s.Store.User(ctx, ref)
}

func (s *countedStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	if err := s.err(); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.UpdateAccount(ctx, id, now, change)
}

func (s *countedStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	if err := s.err(); err != nil {
		return authcore.Record{}, err
	}
	return s.Store.Record(ctx, key, now)
}

func (s *countedStore) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.PutRecord(ctx, record, options)
}

func (s *countedStore) UpdateRecord(ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error) (authcore.Record, error) {
	if err := s.err(); err != nil {
		return authcore.Record{}, err
	}
	return s.Store.UpdateRecord(ctx, key, now, change)
}

func (s *countedStore) ListRecords(ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string) ([]authcore.Record, string, error) {
	if err := s.err(); err != nil {
		return nil, "", err
	}
	return s.Store.ListRecords(ctx, filter, now, cursor)
}

func (s *countedStore) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Store.Count(ctx, now, counters)
}

// person is a user who signed in by mail and has the clock of the realm.
type person struct {
	*realm.Realm
	t      *testing.T
	store  *countedStore
	clock  *sessiontest.Clock
	link   string
	claims *gate.Claims
	secret string
}

// Enqueue keeps the link of a mail.
func (p *person) Enqueue(_ context.Context, mail authcore.Mail) error {
	if mail.Link != "" {
		p.link = mail.Link
	}
	return nil
}

// newPerson returns a user with an authenticator application and a recent login by both
// factors.
func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{t: t, store: &countedStore{Store: memory.New()}, clock: sessiontest.NewClock()}
	const link = "https://frontend.app/auth/link/"
	config := realm.Config{
		EmailLink: link + "{token}", Clients: []authcore.Client{{Name: "web", Key: "web"}},
		Store: p.store, Mailer: p, Now: p.clock.Now, Elapsed: func() time.Duration { return 0 },
	}
	config.Rules.SecondFactor = account.SecondFactorOptional
	config.RememberDevice = time.Hour
	var err error
	if p.Realm, err = realm.New(t.Context(), config); err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	if _, err := p.Logins.RequestLink(t.Context(), login.LinkRequest{Email: "ann@example.com"}); err != nil {
		t.Fatalf("RequestLink() failed: %v", err)
	}
	grant, err := p.Logins.ByLink(t.Context(), login.LinkLogin{ClientKey: "web", Token: strings.TrimPrefix(p.link, link)})
	if err != nil {
		t.Fatalf("ByLink() failed: %v", err)
	}
	p.claims = p.claimsOf(grant.Token)
	enrolment, err := p.Factors.Begin(t.Context(), p.claims)
	if err != nil {
		t.Fatalf("Begin() failed: %v", err)
	}
	p.secret = strings.ReplaceAll(enrolment.Secret, " ", "")
	confirmed, _, err := p.Factors.Confirm(t.Context(), p.claims, enrolment.Sealed, p.code(), authcore.Caller{})
	if err != nil {
		t.Fatalf("Confirm() failed: %v", err)
	}
	p.claims = p.claimsOf(confirmed.Token)
	return p
}

func (p *person) claimsOf(token string) *gate.Claims {
	p.t.Helper()
	claims, err := p.Verifier().Verify(token, p.Now())
	if err != nil {
		p.t.Fatalf("Verify() failed: %v", err)
	}
	return claims
}

// code returns the current code of the application.
func (p *person) code() string {
	p.t.Helper()
	code, err := totp.GenerateCode(p.secret, p.clock.Now())
	if err != nil {
		p.t.Fatalf("GenerateCode() failed: %v", err)
	}
	return code
}

// An operator sees and removes a factor whose record is gone, for example after a backup of
// another time was restored.
func TestFactorWithoutRecord(t *testing.T) {
	p := newPerson(t)
	user, err := p.store.User(t.Context(), authcore.UserRef{ID: p.claims.Subject})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range user.Factors {
		if err := p.store.DeleteRecord(t.Context(), authcore.RecordKey{Kind: f.Kind, Key: f.ID}); err != nil {
			t.Fatal(err)
		}
	}
	overview, err := p.Factors.Overview(t.Context(), user)
	if err != nil || overview.TOTP == nil || overview.Recovery == nil || overview.RecoveryLeft != 0 {
		t.Errorf("Overview() = %+v, %v, want both factors without a code", overview, err)
	}
	if err := p.Factors.RemoveFor(t.Context(), user.ID, authcore.FactorTOTP, ""); err != nil {
		t.Errorf("RemoveFor() = %v, want nil", err)
	}
}

// A store that fails at any point of a call makes the answer 503: never a refusal that
// blames the code or the session. A step that failed may have happened.
func TestStoreFailsAtEveryPoint(t *testing.T) {
	for name, call := range map[string]func(p *person) error{
		"List": func(p *person) error { _, err := p.Factors.List(p.t.Context(), p.claims); return err },
		"NewRecoveryCodes": func(p *person) error {
			_, err := p.Factors.NewRecoveryCodes(p.t.Context(), p.claims, authcore.Caller{})
			return err
		},
		"Verify": func(p *person) error {
			_, err := p.Factors.Verify(p.t.Context(), p.claims, factor.Proof{Code: p.code()})
			return err
		},
		"Begin":        func(p *person) error { _, err := p.Factors.Begin(p.t.Context(), p.claims); return err },
		"ForgetDevice": func(p *person) error { return p.Factors.ForgetDevice(p.t.Context(), p.claims, "") },
		"Remove": func(p *person) error {
			return p.Factors.Remove(p.t.Context(), p.claims, authcore.FactorTOTP, authcore.Caller{})
		},
		"RemoveFor": func(p *person) error {
			return p.Factors.RemoveFor(p.t.Context(), p.claims.Subject, authcore.FactorTOTP, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.clock.Advance(time.Minute) // the code of the enrolment was used
			failed := 0
			for at := 1; ; at++ {
				p.clock.Advance(30 * time.Second) // a code is accepted once
				p.store.calls, p.store.failsAt = 0, at
				err := call(p)
				reached := p.store.calls >= at
				p.store.failsAt = 0
				if !reached {
					if err != nil && failed == 0 {
						t.Errorf("%s() with a working store = %v, want no error", name, err)
					}
					break
				}
				if err == nil {
					break // what failed is not needed for the answer
				}
				var public *authcore.Error
				if !errors.As(err, &public) || public.Status != http.StatusServiceUnavailable {
					t.Fatalf("%s() with a store that fails at call %d = %v, want 503", name, at, err)
				}
				failed++
			}
			if failed == 0 {
				t.Errorf("%s() never needed the store", name)
			}
		})
	}
}
