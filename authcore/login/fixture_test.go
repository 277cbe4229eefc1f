package login_test

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
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	clientKey = "web-key"
	linkBase  = "https://frontend.app/auth/link/"
	frontend  = "https://frontend.app/auth/callback"
	apiURL    = "https://api.example.com/v1/auth"
)

var caller = authcore.Caller{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "test/1", Browser: true}

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outbox is a Mailer that keeps the mails.
type outbox struct {
	mu    sync.Mutex
	mails []authcore.Mail
	err   error
}

func (o *outbox) Enqueue(_ context.Context, mail authcore.Mail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.mails = append(o.mails, mail)
	return nil
}

func (o *outbox) last(t *testing.T) authcore.Mail {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.mails) == 0 {
		t.Fatal("no mail was sent")
	}
	return o.mails[len(o.mails)-1]
}

// eventLog keeps the events.
type eventLog struct {
	mu   sync.Mutex
	list []authcore.Event
}

func (e *eventLog) add(_ context.Context, event authcore.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

func (e *eventLog) names() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	names := make([]string, len(e.list))
	for i, event := range e.list {
		names[i] = string(event.Name)
	}
	return strings.Join(names, " ")
}

func (e *eventLog) count(name authcore.EventName) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, event := range e.list {
		if event.Name == name {
			n++
		}
	}
	return n
}

// fixture is a realm with everything around it.
type fixture struct {
	*realm.Realm
	t        *testing.T
	clock    *clock
	store    *faultyStore
	mails    *outbox
	provider *fakeProvider
	events   *eventLog
}

// newFixture returns a realm on a memory store without limits; change may change
// its configuration.
func newFixture(t *testing.T, change func(*realm.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		mails: &outbox{}, events: &eventLog{},
		provider: &fakeProvider{name: "github", profiles: map[string]authcore.Profile{}},
	}
	cfg := realm.Config{
		EmailLink: linkBase + "{token}",
		Limits:    noLimits(),
		Clients: []authcore.Client{
			{Name: "web", Key: clientKey, RedirectURIs: []string{frontend}, Origins: []string{"https://frontend.app"}},
			{
				Name: "app", Key: "app-key", Lifetime: time.Hour, Locale: "de",
				EmailLink:    "https://app.example/in?t={token}",
				RedirectURIs: []string{"https://app.example/a", "https://app.example/b"},
				Providers:    []string{"google-oauth2"},
			},
		},
		Providers: []authcore.Provider{f.provider},
		Store:     newFaultyStore(memory.New()), Mailer: f.mails, Observe: f.events.add, Now: f.clock.Now,
	}
	if change != nil {
		change(&cfg)
	}
	f.store = cfg.Store.(*faultyStore)
	var err error
	if f.Realm, err = realm.New(t.Context(), cfg); err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	return f
}

func noLimits() ratelimit.Limits {
	return ratelimit.Limits{LinkOverall: ratelimit.Rate{N: 1 << 30, Window: time.Minute}}
}

// request requests a link and returns the request ID and the mail.
func (f *fixture) request(email string) (requestID string, mail authcore.Mail) {
	f.t.Helper()
	receipt, err := f.Logins.RequestLink(f.t.Context(), login.LinkRequest{Email: email, Caller: caller})
	if err != nil {
		f.t.Fatalf("RequestLink(%s) failed: %v", email, err)
	}
	return receipt.RequestID, f.mails.last(f.t)
}

// mail requests a link and returns the mail.
func (f *fixture) mail(email string) authcore.Mail {
	f.t.Helper()
	_, mail := f.request(email)
	return mail
}

func tokenOf(mail authcore.Mail) string { return strings.TrimPrefix(mail.Link, linkBase) }

func (f *fixture) byLink(token string) (session.Grant, error) {
	return f.Logins.ByLink(f.t.Context(), login.LinkLogin{Token: token, ClientKey: clientKey, Caller: caller})
}

func (f *fixture) byCode(requestID, code string) (session.Grant, error) {
	return f.Logins.ByCode(f.t.Context(), login.CodeLogin{RequestID: requestID, Code: code, ClientKey: clientKey, Caller: caller})
}

// loginAs logs in by link.
func (f *fixture) loginAs(email string) session.Grant {
	f.t.Helper()
	grant, err := f.byLink(tokenOf(f.mail(email)))
	if err != nil {
		f.t.Fatalf("ByLink() for %s failed: %v", email, err)
	}
	return grant
}

// social logs in through the fake provider, which reports this profile.
func (f *fixture) social(profile authcore.Profile) (session.Grant, error) {
	f.t.Helper()
	f.provider.set("code", profile)
	return f.withCode("")
}

func (f *fixture) withCode(state string) (session.Grant, error) {
	f.t.Helper()
	return f.Logins.Social(f.t.Context(), login.SocialLogin{
		Provider: "github", Code: "code", ClientKey: clientKey, State: state, Caller: caller,
	})
}

// begin begins a social login and returns its state. linkTo may be nil.
func (f *fixture) begin(linkTo *gate.Claims) string {
	f.t.Helper()
	begun, err := f.Logins.Authorize(f.t.Context(), login.AuthorizeStart{
		Provider: "github", ClientKey: clientKey, RedirectURI: frontend, LinkTo: linkTo, Caller: caller,
	})
	if err != nil {
		f.t.Fatalf("Authorize() failed: %v", err)
	}
	return begun.State
}

// link adds the profile to the user of a token.
func (f *fixture) link(to session.Grant, profile authcore.Profile) (session.Grant, error) {
	f.t.Helper()
	claims := f.claims(to)
	state := f.begin(claims)
	f.provider.set("code", profile)
	return f.Logins.Social(f.t.Context(), login.SocialLogin{
		Provider: "github", Code: "code", ClientKey: clientKey, State: state, LinkTo: claims, Caller: caller,
	})
}

// claims verifies a token like a proxied request.
func (f *fixture) claims(grant session.Grant) *gate.Claims {
	f.t.Helper()
	claims, err := f.authenticate(grant)
	if err != nil {
		f.t.Fatalf("Authenticate() failed: %v", err)
	}
	return claims
}

func (f *fixture) authenticate(grant session.Grant) (*gate.Claims, error) {
	return f.Authenticate([]string{"Token " + grant.Token})
}

func wantCode(t *testing.T, err error, status int, code authcore.Code) {
	t.Helper()
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok {
		t.Fatalf("error = %v, want %d %s", err, status, code)
	}
	if public.Status != status || public.Code != code {
		t.Fatalf("error = %d %s (%v), want %d %s", public.Status, public.Code, err, status, code)
	}
}
