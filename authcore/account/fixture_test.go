package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	annID = "9f1f3f4e-52f4-4a6c-9f4e-0d3a6b1c2d3e"
	eveID = "1c0de1a5-0c5d-4b3d-8f1a-2f3b4c5d6e7f"
	ann   = "ann@example.com"
)

// fixture is a service with a store. The session of claims is that of annID.
type fixture struct {
	*account.Service
	t       *testing.T
	store   authcore.Store
	now     time.Time
	revoked *gate.Revocations
	claims  *gate.Claims
	events  []authcore.EventName
}

// provider is a configured provider. It accepts the issuers, or all if there are
// none.
type provider struct {
	authcore.Provider
	issuers []string
}

func (p provider) Recognizes(issuer string) bool {
	return len(p.issuers) == 0 || slices.Contains(p.issuers, issuer)
}

// tokenProvider takes ID tokens as well.
type tokenProvider struct{ provider }

func (tokenProvider) VerifyIDToken(context.Context, authcore.IDTokenRequest) (authcore.Profile, error) {
	return authcore.Profile{}, errors.New("not used")
}

// newFixture returns a service for a user with identities and a session "current".
// Change may be nil.
func newFixture(t *testing.T, user authcore.User, identities []authcore.Identity, change func(*account.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, store: memory.New(), now: time.Now().UTC().Truncate(time.Second), revoked: gate.NewRevocations(),
		claims: &gate.Claims{Subject: annID, Session: "current", ID: "token"},
	}
	user.ID, user.Created = annID, f.now
	items := []authcore.Item{{User: &user}, {User: &authcore.User{ID: eveID, Email: "eve@example.com", EmailVerified: true, Created: f.now}}}
	for i := range identities {
		identities[i].UserID, identities[i].Created = annID, f.now.Add(time.Duration(i)*time.Second)
		items = append(items, authcore.Item{Identity: &identities[i]})
	}
	f.put(items...)
	f.begin("current", "link", "")
	cfg := account.Config{
		Store: f.store, Rules: &account.Rules{}, Revoked: f.revoked, TokenLifetime: 14 * 24 * time.Hour,
		Clients: []authcore.Client{
			{Name: "web", Key: "web", RedirectURIs: []string{"https://web.example/"}},
			{Name: "app", Key: "app", RedirectURIs: []string{"https://app.example/"}},
		},
		Providers: map[string]authcore.Provider{"github": provider{}, "google-oauth2": tokenProvider{}},
		Observe:   func(_ context.Context, e authcore.Event) { f.events = append(f.events, e.Name) },
		Now:       func() time.Time { return f.now },
	}
	if change != nil {
		change(&cfg)
	}
	cfg.Rules.SetDefaults()
	if err := cfg.Rules.Validate(); err != nil {
		t.Fatalf("Validate() failed: %v", err)
	}
	f.Service = account.New(cfg)
	return f
}

// put stores items.
func (f *fixture) put(items ...authcore.Item) {
	f.t.Helper()
	if n, err := f.store.Import(f.t.Context(), items); err != nil || n != len(items) {
		f.t.Fatalf("Import() = %d, %v, want %d", n, err, len(items))
	}
}

// begin stores a session of annID.
func (f *fixture) begin(id, method, identity string) {
	f.t.Helper()
	f.put(authcore.Item{Session: &authcore.Session{
		ID: id, UserID: annID, Client: "web", Method: method, Identity: identity,
		Created: f.now, LastSeen: f.now, Expires: f.now.Add(20 * 24 * time.Hour),
	}})
}

// stored returns the account of annID.
func (f *fixture) stored() authcore.Account {
	f.t.Helper()
	stored, err := f.store.Account(f.t.Context(), authcore.UserRef{ID: annID}, f.now)
	if err != nil {
		f.t.Fatalf("Account() failed: %v", err)
	}
	return stored
}

// sessions returns the IDs of the live sessions, sorted.
func (f *fixture) sessions() []string {
	f.t.Helper()
	var ids []string
	for _, session := range f.stored().Sessions {
		ids = append(ids, session.ID)
	}
	slices.Sort(ids)
	return ids
}

// shown returns the public IDs of the identities that the user sees.
func (f *fixture) shown() []string {
	f.t.Helper()
	list, err := f.Identities(f.t.Context(), f.claims)
	if err != nil {
		f.t.Fatalf("Identities() failed: %v", err)
	}
	var ids []string
	for _, identity := range list {
		ids = append(ids, identity.PublicID)
	}
	return ids
}

// identity returns an identity whose public ID is its provider.
func identity(provider, email string) authcore.Identity {
	return authcore.Identity{Provider: provider, Subject: "1", PublicID: provider, Email: email}
}

// wantError checks status and code of a public error.
func wantError(t *testing.T, call string, err error, status int, code authcore.Code) {
	t.Helper()
	var public *authcore.Error
	if !errors.As(err, &public) || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", call, err, status, code)
	}
}

// downStore fails all calls of Accounts.
type downStore struct{ account.Store }

var errDown = fmt.Errorf("%w: no route", authcore.ErrUnavailable)

func (downStore) User(context.Context, authcore.UserRef) (authcore.User, error) {
	return authcore.User{}, errDown
}

func (downStore) Account(context.Context, authcore.UserRef, time.Time) (authcore.Account, error) {
	return authcore.Account{}, errDown
}

func (downStore) UpdateAccount(context.Context, string, time.Time, func(*authcore.Account) error) (authcore.Account, error) {
	return authcore.Account{}, errDown
}

func (downStore) Users(context.Context, authcore.UserFilter, string) ([]authcore.User, string, error) {
	return nil, "", errDown
}

// A store that is down is 503.
func TestStoreIsDown(t *testing.T) {
	f := newFixture(t, authcore.User{}, nil, func(c *account.Config) { c.Store = downStore{c.Store} })
	ctx := t.Context()
	_, userErr := f.CurrentUser(ctx, f.claims)
	_, profileErr := f.UpdateProfile(ctx, f.claims, account.ProfileChange{})
	_, identitiesErr := f.Identities(ctx, f.claims)
	_, findErr := f.Find(ctx, annID)
	_, disableErr := f.Disable(ctx, annID)
	_, enableErr := f.Enable(ctx, annID)
	_, _, listErr := f.List(ctx, authcore.UserFilter{}, "")
	for call, err := range map[string]error{
		"CurrentUser()": userErr, "UpdateProfile()": profileErr, "Identities()": identitiesErr, "Unlink()": f.Unlink(ctx, f.claims, authcore.Caller{}, "github"),
		"Find()": findErr, "Disable()": disableErr, "Enable()": enableErr, "Delete()": f.Delete(ctx, annID), "List()": listErr,
	} {
		wantError(t, call, err, 503, authcore.CodeUnavailable)
	}
}
