package socialauth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/authcore/session/sessiontest"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	clientKey = "web-key"
	// former is a former subject, the address of the account at the provider.
	former = "ann@example.com"
)

// fakeProvider returns a profile for each code. A uid with "@" is a former subject.
type fakeProvider struct {
	authcore.Provider
	mu       sync.Mutex
	profiles map[string]authcore.Profile
}

func (p *fakeProvider) Name() string { return "github" }

func (p *fakeProvider) AuthorizeURL(context.Context, authcore.AuthorizeRequest) (string, error) {
	return "https://idp.example/", nil
}

func (p *fakeProvider) Exchange(_ context.Context, r authcore.ExchangeRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.profiles[r.Code], nil
}

func (p *fakeProvider) Endpoint(context.Context) (authcore.Endpoint, error) {
	return authcore.Endpoint{}, nil
}

func (p *fakeProvider) ImportNames(uid, transferSub string) (authcore.ImportedNames, error) {
	switch {
	case uid == "refused":
		return authcore.ImportedNames{}, errors.New("uid: is refused by the provider")
	case transferSub != "":
		return authcore.ImportedNames{Subject: uid, FormerSubject: transferSub}, nil
	case strings.Contains(uid, "@"):
		return authcore.ImportedNames{FormerSubject: uid}, nil
	}
	return authcore.ImportedNames{Subject: uid}, nil
}

// plainProvider does not support imports.
type plainProvider struct{ authcore.Provider }

func (plainProvider) Name() string { return "plain" }

// interruptedStore calls a function once before an import, and fails if it says so.
type interruptedStore struct {
	authcore.Store
	before func() error
}

func (s *interruptedStore) Import(ctx context.Context, items []authcore.Item) (int, error) {
	if before := s.before; before != nil {
		s.before = nil
		if err := before(); err != nil {
			return 0, err
		}
	}
	return s.Store.Import(ctx, items)
}

// fixture is a realm and its importer.
type fixture struct {
	*realm.Realm
	*socialauth.Importer
	t        *testing.T
	store    *interruptedStore
	clock    *sessiontest.Clock
	provider *fakeProvider
}

// newFixture returns a realm with an empty store. Change may be nil.
func newFixture(t *testing.T, change func(*realm.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, store: &interruptedStore{Store: memory.New()}, clock: sessiontest.NewClock(),
		provider: &fakeProvider{profiles: map[string]authcore.Profile{}},
	}
	cfg := realm.Config{
		EmailLink: "https://frontend.app/{token}", DebugLinks: true, Store: f.store, Now: f.clock.Now,
		Clients:   []authcore.Client{{Name: "web", Key: clientKey, RedirectURIs: []string{"https://frontend.app/back"}}},
		Providers: []authcore.Provider{f.provider, plainProvider{}},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if f.Realm, err = realm.New(t.Context(), cfg); err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	f.Importer = socialauth.New(socialauth.Config{
		Store: f.store, Accounts: f.Accounts, Now: f.clock.Now,
		Providers: map[string]authcore.Provider{"github": f.provider, "plain": plainProvider{}},
	})
	return f
}

// imports imports a user with logins at the provider, none of which is refused, and
// returns the ID of the user.
func (f *fixture) imports(user socialauth.ImportedUser, uids ...string) string {
	f.t.Helper()
	result := f.importResult(user, uids...)
	if result.UserID == "" || slices.ContainsFunc(result.Refused, func(reason string) bool { return reason != "" }) {
		f.t.Fatalf("Import(%v) = %+v, want a user", uids, result)
	}
	return result.UserID
}

func (f *fixture) importResult(user socialauth.ImportedUser, uids ...string) socialauth.ImportResult {
	f.t.Helper()
	user.Logins = logins(uids...)
	result, err := f.Import(f.t.Context(), user, false)
	if err != nil {
		f.t.Fatalf("Import(%v) failed: %v", uids, err)
	}
	return result
}

// logins returns logins at the provider.
func logins(uids ...string) []socialauth.ImportedLogin {
	var list []socialauth.ImportedLogin
	for _, uid := range uids {
		list = append(list, socialauth.ImportedLogin{Provider: "github", UID: uid})
	}
	return list
}

// social logs in with a profile that the provider reports.
func (f *fixture) social(profile authcore.Profile) (session.Grant, error) {
	f.t.Helper()
	code := rand(f.t)
	f.provider.mu.Lock()
	f.provider.profiles[code] = profile
	f.provider.mu.Unlock()
	return f.Logins.Social(f.t.Context(), login.SocialLogin{Provider: "github", Code: code, ClientKey: clientKey})
}

func rand(t *testing.T) string {
	t.Helper()
	id := authcore.RandomID()
	return id
}

// entered returns the ID of the user as whom a profile logs in.
func (f *fixture) entered(profile authcore.Profile) string {
	f.t.Helper()
	grant, err := f.social(profile)
	if err != nil {
		f.t.Fatalf("Social(%+v) failed: %v", profile, err)
	}
	return grant.User.ID
}

// identities returns the stored identities of a user, by subject.
func (f *fixture) identities(userID string) map[string]authcore.Identity {
	f.t.Helper()
	stored, err := f.store.Account(f.t.Context(), authcore.UserRef{ID: userID}, f.clock.Now())
	if err != nil {
		f.t.Fatalf("Account() failed: %v", err)
	}
	identities := map[string]authcore.Identity{}
	for _, identity := range stored.Identities {
		identities[identity.Subject] = identity
	}
	return identities
}

// sweep deletes what has expired.
func (f *fixture) sweep() {
	f.t.Helper()
	if _, err := f.store.Sweep(f.t.Context(), f.clock.Now()); err != nil {
		f.t.Fatalf("Sweep() failed: %v", err)
	}
}

// vouched is the profile of an account whose former subject the provider vouches
// for.
func vouched(subject string) authcore.Profile {
	return authcore.Profile{Subject: subject, FormerSubject: former}
}

// wantError checks status and code of a public error.
func wantError(t *testing.T, call string, err error, status int, code authcore.Code) {
	t.Helper()
	var public *authcore.Error
	if !errors.As(err, &public) || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", call, err, status, code)
	}
}

const year = 365 * 24 * time.Hour
