package pages_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	origin    = "https://app.example.com"
	address   = origin + "/auth"
	clientKey = "key-of-the-page"
	ann       = "ann@example.com"
	firefox   = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	cookie    = "__Host-edgeauth"
)

// world is a realm in memory with a login page.
type world struct {
	t        testing.TB
	realm    *realm.Realm
	store    *brokenStore
	mails    *mailbox
	provider *fakeProvider
	handler  *pages.Handler
	clock    atomic.Int64
}

// newWorld returns a world; tune may change the options first.
func newWorld(t testing.TB, tune ...func(*pages.Options, *realm.Config)) *world {
	t.Helper()
	w := &world{t: t, store: &brokenStore{Store: memory.New()}, mails: &mailbox{}, provider: &fakeProvider{}}
	w.clock.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix())
	config := realm.Config{
		EmailLink: pages.EmailLink(address), APIURL: address,
		Clients: []authcore.Client{{
			Name: "app.example.com", Key: clientKey, Origins: []string{origin}, EmailLink: pages.EmailLink(address),
			RedirectURIs: []string{pages.RedirectURI(address, "github")},
		}},
		Providers: []authcore.Provider{w.provider},
		Store:     w.store, Mailer: w.mails,
		Now: func() time.Time { return time.Unix(w.clock.Load(), 0) },
	}
	options := pages.Options{
		Origin: origin, ClientKey: clientKey, Title: "Example",
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
	}
	for _, change := range tune {
		change(&options, &config)
	}
	var err error
	if w.realm, err = realm.New(t.Context(), config); err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	options.Realm = w.realm
	if w.handler, err = pages.New(options); err != nil {
		t.Fatalf("pages.New() failed: %v", err)
	}
	return w
}

func (w *world) advance(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

// browser keeps cookies, as a browser does.
type browser struct {
	w       *world
	handler http.Handler
	cookies map[string]string
}

func (w *world) browser() *browser {
	return &browser{w: w, handler: w.handler, cookies: map[string]string{}}
}

// reply is an answer with its whole body.
type reply struct {
	*httptest.ResponseRecorder
	t    testing.TB
	call string
}

func (r reply) location() string { return r.Header().Get("Location") }

// must fails the test unless the answer has this status.
func (r reply) must(status int) reply {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("%s = %d %s, want %d\n%s", r.call, r.Code, r.location(), status, r.Body)
	}
	return r
}

// shows fails the test unless the page contains all texts.
func (r reply) shows(texts ...string) reply {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Body.String(), text) {
			r.t.Errorf("%s does not show %q:\n%s", r.call, text, r.Body)
		}
	}
	return r
}

func (r reply) hides(texts ...string) reply {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Body.String(), text) {
			r.t.Errorf("%s shows %q:\n%s", r.call, text, r.Body)
		}
	}
	return r
}

// send sends a request. Headers come in pairs of name and value.
func (b *browser) send(method, target string, form url.Values, headers ...string) reply {
	b.w.t.Helper()
	return b.raw(method, target, form.Encode(), headers...)
}

// raw sends a request with any body.
func (b *browser) raw(method, target, body string, headers ...string) reply {
	b.w.t.Helper()
	r := httptest.NewRequestWithContext(b.w.t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("User-Agent", firefox)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	recorder := httptest.NewRecorder()
	b.handler.ServeHTTP(recorder, r)
	for _, set := range recorder.Result().Cookies() {
		if set.MaxAge < 0 {
			delete(b.cookies, set.Name)
			continue
		}
		b.cookies[set.Name] = set.Value
	}
	return reply{recorder, b.w.t, method + " " + target}
}

func (b *browser) get(target string, headers ...string) reply {
	b.w.t.Helper()
	return b.send(http.MethodGet, target, nil, headers...)
}

// post sends a form; fields come in pairs of name and value.
func (b *browser) post(target string, fields ...string) reply {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, target, form)
}

// ask requests a mail and returns the address of the page after it.
func (b *browser) ask(email, returnTo string) (sent string) {
	b.w.t.Helper()
	return b.post("/auth/", "email", email, "return_to", returnTo).must(http.StatusSeeOther).location()
}

// signIn signs in with a link.
func (b *browser) signIn(email string) {
	b.w.t.Helper()
	b.ask(email, "/")
	b.post(b.w.mails.path()).must(http.StatusSeeOther)
}

// claims returns those of the session cookie, or nil.
func (b *browser) claims() *gate.Claims {
	claims, err := b.w.realm.Authenticate([]string{"Token " + b.cookies[cookie]})
	if err != nil {
		return nil
	}
	return claims
}

// mustBe fails the test unless the browser is signed in with this address; "" means
// signed out.
func (b *browser) mustBe(email string) {
	b.w.t.Helper()
	got := ""
	if claims := b.claims(); claims != nil {
		got = claims.Email
	}
	if got != email {
		b.w.t.Errorf("the browser is signed in as %q, want %q", got, email)
	}
}

// mailbox keeps mails.
type mailbox struct {
	mu    sync.Mutex
	mails []authcore.Mail
}

func (m *mailbox) Enqueue(_ context.Context, mail authcore.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, mail)
	return nil
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mails)
}

func (m *mailbox) last() authcore.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mails[len(m.mails)-1]
}

// path returns the path of the last link.
func (m *mailbox) path() string { return strings.TrimPrefix(m.last().Link, origin) }

// fakeProvider accepts the code "good" for the account that it names.
type fakeProvider struct {
	mu      sync.Mutex
	profile authcore.Profile
	request authcore.AuthorizeRequest
}

func (*fakeProvider) Name() string { return "github" }

func (*fakeProvider) Endpoint(context.Context) (authcore.Endpoint, error) {
	return authcore.Endpoint{ClientID: "id", AuthorizeURL: "https://provider.example/authorize"}, nil
}

func (p *fakeProvider) AuthorizeURL(_ context.Context, r authcore.AuthorizeRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.request = r
	return "https://provider.example/authorize?" + url.Values{"state": {r.State}, "redirect_uri": {r.RedirectURI}}.Encode(), nil
}

func (p *fakeProvider) Exchange(_ context.Context, r authcore.ExchangeRequest) (authcore.Profile, error) {
	if r.Code != "good" {
		return authcore.Profile{}, authcore.ErrProviderDenied
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.profile, nil
}

// brokenStore fails while down is set.
type brokenStore struct {
	authcore.Store
	down atomic.Bool
}

func (s *brokenStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	if s.down.Load() {
		return authcore.Record{}, authcore.ErrUnavailable
	}
	return s.Store.Record(ctx, key, now)
}

func (s *brokenStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	if s.down.Load() {
		return authcore.Account{}, authcore.ErrUnavailable
	}
	return s.Store.UpdateAccount(ctx, id, now, change)
}
