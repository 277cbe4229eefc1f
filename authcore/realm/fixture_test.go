package authcore_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const clientKey = "web-key"

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

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

// outbox is a Mailer that keeps what it is given.
type outbox struct {
	mu    sync.Mutex
	mails []authcore.LinkMail
	err   error
}

func (o *outbox) Enqueue(_ context.Context, mail authcore.LinkMail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.mails = append(o.mails, mail)
	return nil
}

func (o *outbox) last(t *testing.T) authcore.LinkMail {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.mails) == 0 {
		t.Fatal("no mail was sent")
	}
	return o.mails[len(o.mails)-1]
}

// fakeProvider answers with a profile by code.
type fakeProvider struct {
	name     string
	profiles map[string]authcore.Profile
	err      error
	// posts makes it one that posts its answers.
	posts bool
	// issuers are those that it recognizes; nil for all.
	issuers []string

	mu       sync.Mutex
	requests []authcore.ExchangeRequest
	started  []authcore.AuthorizeRequest
}

func (p *fakeProvider) Name() string { return p.name }

func (p *fakeProvider) Recognizes(issuer string) bool {
	return p.issuers == nil || slices.Contains(p.issuers, issuer)
}

func (p *fakeProvider) Endpoint(context.Context) (authcore.Endpoint, error) {
	if p.err != nil {
		return authcore.Endpoint{}, p.err
	}
	endpoint := authcore.Endpoint{ClientID: "id", AuthorizeURL: "https://idp.example/authorize", Scope: "email", ResponseType: "code"}
	if p.posts {
		endpoint.ResponseMode = "form_post"
	}
	return endpoint, nil
}

func (p *fakeProvider) AuthorizeURL(_ context.Context, r authcore.AuthorizeRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = append(p.started, r)
	return "https://idp.example/authorize?state=" + r.State, p.err
}

func (p *fakeProvider) Exchange(_ context.Context, r authcore.ExchangeRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r)
	if p.err != nil {
		return authcore.Profile{}, p.err
	}
	profile, found := p.profiles[r.Code]
	if !found {
		return authcore.Profile{}, authcore.ErrProviderDenied
	}
	return profile, nil
}

// ImportNames knows people by their address formerly, and by anything else now.
func (p *fakeProvider) ImportNames(uid, transferSub string) (authcore.ImportedNames, error) {
	switch {
	case uid == "refused":
		return authcore.ImportedNames{}, errors.New("uid: cannot be carried over")
	case strings.Contains(uid, "@"):
		return authcore.ImportedNames{FormerSubject: strings.ToLower(uid)}, nil
	}
	return authcore.ImportedNames{Subject: uid, FormerSubject: transferSub}, nil
}

// poster says beforehand that it posts its answers.
type poster struct{ *fakeProvider }

func (p poster) PostsAnswers() bool { return p.posts }

// openIDProvider also takes ID tokens: those that it has a profile for.
type openIDProvider struct {
	*fakeProvider
	tokens []authcore.IDTokenRequest
}

func (p *openIDProvider) VerifyIDToken(_ context.Context, r authcore.IDTokenRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = append(p.tokens, r)
	if p.err != nil {
		return authcore.Profile{}, p.err
	}
	profile, found := p.profiles[r.IDToken]
	if !found {
		return authcore.Profile{}, authcore.ErrProviderMismatch
	}
	return profile, nil
}

// fixture is a service with everything around it in reach.
type fixture struct {
	*authcore.Service
	t        *testing.T
	clock    *clock
	store    authcore.Store
	mails    *outbox
	provider *fakeProvider
	events   *eventLog
}

type eventLog struct {
	mu   sync.Mutex
	list []authcore.Event
}

func (e *eventLog) add(event authcore.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

func (e *eventLog) names() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	names := make([]string, 0, len(e.list))
	for _, event := range e.list {
		names = append(names, string(event.Name))
	}
	return strings.Join(names, " ")
}

func newFixture(t *testing.T, change func(*authcore.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: newClock(), store: memory.New(), mails: &outbox{}, events: &eventLog{},
		provider: &fakeProvider{name: "github", profiles: map[string]authcore.Profile{}},
	}
	cfg := authcore.Config{
		EmailLink: "https://frontend.app/auth/link/{token}",
		Clients: []authcore.Client{
			{
				Name: "web", Key: clientKey,
				RedirectURIs: []string{"https://frontend.app/auth/callback"},
				Origins:      []string{"https://frontend.app"},
			},
			{
				Name: "app", Key: "app-key", Lifetime: time.Hour, Locale: "de",
				EmailLink:    "https://app.example/in?t={token}",
				RedirectURIs: []string{"https://app.example/a", "https://app.example/b"},
				Providers:    []string{"google-oauth2"},
			},
		},
		Providers: []authcore.Provider{f.provider},
		Store:     f.store, Mailer: f.mails, Observe: f.events.add, Now: f.clock.Now,
	}
	if change != nil {
		change(&cfg)
	}
	f.store = cfg.Store
	var err error
	if f.Service, err = authcore.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

var caller = authcore.Caller{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "test/1"}

// mail asks for a link and returns its mail.
func (f *fixture) mail(email string) authcore.LinkMail {
	f.t.Helper()
	if _, err := f.RequestLink(f.t.Context(), authcore.LinkRequest{Email: email, Caller: caller}); err != nil {
		f.t.Fatal(err)
	}
	return f.mails.last(f.t)
}

func secretOf(mail authcore.LinkMail) string {
	return strings.TrimPrefix(mail.Link, "https://frontend.app/auth/link/")
}

// loginAs logs in by link.
func (f *fixture) loginAs(email string) authcore.Login {
	f.t.Helper()
	login, err := f.spend(secretOf(f.mail(email)))
	if err != nil {
		f.t.Fatal(err)
	}
	return login
}

func (f *fixture) spend(secret string) (authcore.Login, error) {
	return f.LoginByLink(f.t.Context(), authcore.LinkLogin{Token: secret, ClientKey: clientKey, Caller: caller})
}

// social logs in with a code that the fake provider knows as this profile.
func (f *fixture) social(profile authcore.Profile) (authcore.Login, error) {
	f.t.Helper()
	f.provider.mu.Lock()
	f.provider.profiles["code"] = profile
	f.provider.mu.Unlock()
	return f.LoginSocial(f.t.Context(), authcore.SocialLogin{Provider: "github", Code: "code", ClientKey: clientKey, Caller: caller})
}

// claims verifies a token as a proxied request would.
func (f *fixture) claims(token string) *gate.Claims {
	f.t.Helper()
	claims, err := f.Authenticate(f.t.Context(), []string{"Token " + token})
	if err != nil {
		f.t.Fatal(err)
	}
	return claims
}

// statement reads all that a token says.
func (f *fixture) statement(token string) (statement gate.Statement) {
	f.t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &statement)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return statement
}

func (f *fixture) refused(token string) bool {
	_, err := f.Authenticate(f.t.Context(), []string{"Token " + token})
	return err != nil
}

func wantCode(t *testing.T, err error, status int, code authcore.Code) {
	t.Helper()
	var public *authcore.Error
	if !errors.As(err, &public) {
		t.Fatalf("error is %v, want %d %s", err, status, code)
	}
	if public.Status != status || public.Code != code {
		t.Fatalf("error is %d %s, want %d %s (%v)", public.Status, public.Code, status, code, err)
	}
}
