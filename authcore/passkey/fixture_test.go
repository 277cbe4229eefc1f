package passkey_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/internal/authenticator"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	clientKey = "web-key"
	origin    = "https://app.example.com"
	linkBase  = origin + "/link/"
	ann       = "ann@example.com"
)

var caller = authcore.Caller{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "test/1", Browser: true}

// fixture is a realm in memory whose clock the test moves.
type fixture struct {
	*realm.Realm
	t     testing.TB
	store *hookedStore

	mu     sync.Mutex
	now    time.Time
	mails  []authcore.Mail
	events []authcore.Event
}

// hookedStore calls a hook before each login step.
type hookedStore struct {
	authcore.Store
	beforeLogin func()
}

func (s *hookedStore) Login(ctx context.Context, step authcore.LoginStep) (authcore.Account, error) {
	if s.beforeLogin != nil {
		s.beforeLogin()
	}
	return s.Store.Login(ctx, step)
}

func config() realm.Config {
	return realm.Config{
		Passkeys: realm.PasskeysOptional, PasskeyRPID: "example.com", EmailLink: linkBase + "{token}",
		Clients: []authcore.Client{
			{Name: "web", Key: clientKey, Origins: []string{origin}},
			{Name: "admin", Key: "admin-key", Origins: []string{"https://admin.example.com"}},
		},
	}
}

func newFixture(t testing.TB, change func(*realm.Config)) *fixture {
	t.Helper()
	return newFixtureOn(t, memory.New(), change)
}

func newFixtureOn(t testing.TB, store authcore.Store, change func(*realm.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &hookedStore{Store: store}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	cfg := config()
	cfg.Store, cfg.Mailer, cfg.Now = f.store, f, f.clock
	cfg.Observe = func(_ context.Context, event authcore.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, event)
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if f.Realm, err = realm.New(t.Context(), cfg); err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// Enqueue implements authcore.Mailer.
func (f *fixture) Enqueue(_ context.Context, mail authcore.Mail) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mails = append(f.mails, mail)
	return nil
}

// notices lists the kinds and methods of the notices.
func (f *fixture) notices() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, mail := range f.mails {
		if mail.Kind.IsNotice() {
			list = append(list, string(mail.Kind)+" "+mail.Method+" "+mail.To)
		}
	}
	return strings.Join(list, ", ")
}

// count returns the number of events of a name and code.
func (f *fixture) count(name authcore.EventName, code authcore.Code) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, event := range f.events {
		if event.Name == name && event.Code == code && event.Method == passkey.Method {
			n++
		}
	}
	return n
}

// loginAs logs in by mail.
func (f *fixture) loginAs(email string) *gate.Claims {
	f.t.Helper()
	if _, err := f.Logins.RequestLink(f.t.Context(), login.LinkRequest{Email: email, Caller: caller}); err != nil {
		f.t.Fatalf("RequestLink() failed: %v", err)
	}
	f.mu.Lock()
	link := f.mails[len(f.mails)-1].Link
	f.mu.Unlock()
	grant, err := f.Logins.ByLink(f.t.Context(), login.LinkLogin{Token: strings.TrimPrefix(link, linkBase), ClientKey: clientKey, Caller: caller})
	if err != nil {
		f.t.Fatalf("ByLink() failed: %v", err)
	}
	return f.claims(grant)
}

func (f *fixture) claims(grant session.Grant) *gate.Claims {
	f.t.Helper()
	claims, err := f.Authenticate([]string{"Token " + grant.Token})
	if err != nil {
		f.t.Fatalf("Authenticate() failed: %v", err)
	}
	return claims
}

// response returns the response of an authenticator to creation options.
func (f *fixture) response(claims *gate.Claims, a *authenticator.Authenticator) []byte {
	f.t.Helper()
	options, err := f.Passkeys.RegistrationOptions(f.t.Context(), claims)
	if err != nil {
		f.t.Fatalf("RegistrationOptions() failed: %v", err)
	}
	response, err := a.Create(options)
	if err != nil {
		f.t.Fatalf("Create(%s) failed: %v", options, err)
	}
	return response
}

func (f *fixture) register(claims *gate.Claims, a *authenticator.Authenticator) passkey.Passkey {
	f.t.Helper()
	made, err := f.Passkeys.Register(f.t.Context(), claims, passkey.Registration{Credential: f.response(claims, a), Caller: caller})
	if err != nil {
		f.t.Fatalf("Register() failed: %v", err)
	}
	return made
}

// assertion returns the response of an authenticator to request options.
func (f *fixture) assertion(a *authenticator.Authenticator) []byte {
	f.t.Helper()
	options, err := f.Passkeys.LoginOptions()
	if err != nil {
		f.t.Fatalf("LoginOptions() failed: %v", err)
	}
	response, err := a.Get(options)
	if err != nil {
		f.t.Fatalf("Get(%s) failed: %v", options, err)
	}
	return response
}

func (f *fixture) login(response []byte) (session.Grant, error) {
	f.t.Helper()
	return f.Logins.ByPasskey(f.t.Context(), login.PasskeyLogin{Credential: response, ClientKey: clientKey, Caller: caller})
}

func (f *fixture) mustLogin(a *authenticator.Authenticator) session.Grant {
	f.t.Helper()
	grant, err := f.login(f.assertion(a))
	if err != nil {
		f.t.Fatalf("ByPasskey() failed: %v", err)
	}
	return grant
}

// wantCode checks a public error.
func wantCode(t testing.TB, call string, err error, status int, code authcore.Code) {
	t.Helper()
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", call, err, status, code)
	}
}
