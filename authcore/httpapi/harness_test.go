package httpapi_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	webKey    = "web-key-4711" // one redirect URI, all providers
	manyKey   = "many-key-4712"
	origin    = "https://frontend.app"
	callback  = "https://frontend.app/auth/callback"
	callback2 = "https://frontend.app/other"
	linkBase  = "https://frontend.app/auth/link/"
	goodCode  = "good-code"
)

// world is a server on a realm in memory.
type world struct {
	t        *testing.T
	server   *httptest.Server
	client   *http.Client
	realm    *realm.Realm
	store    *breakableStore
	mails    *mailbox
	provider *fakeProvider
	logs     *logBuffer
	clock    atomic.Int64
}

// newWorld starts a server; tune may change the configuration first.
func newWorld(t *testing.T, tune ...func(*realm.Config)) *world {
	t.Helper()
	w := &world{
		t: t, store: &breakableStore{Store: memory.New()}, mails: &mailbox{},
		provider: &fakeProvider{name: "google-oauth2"}, logs: &logBuffer{},
	}
	w.clock.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix())
	logger := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := realm.Config{
		EmailLink: linkBase + authcore.LinkPlaceholder,
		Clients: []authcore.Client{
			{Name: "web", Key: webKey, RedirectURIs: []string{callback}, Origins: []string{origin}},
			{Name: "many", Key: manyKey, RedirectURIs: []string{callback, callback2}, Providers: []string{"google-oauth2"}},
		},
		Providers: []authcore.Provider{w.provider, &fakeProvider{name: "github"}},
		Store:     w.store,
		Mailer:    w.mails,
		Logger:    logger,
		Now:       func() time.Time { return time.Unix(w.clock.Load(), 0) },
	}
	for _, change := range tune {
		change(&cfg)
	}
	var err error
	if w.realm, err = realm.New(t.Context(), cfg); err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	w.server = httptest.NewServer(httpapi.New(httpapi.Options{Realm: w.realm, Logger: logger}))
	t.Cleanup(w.server.Close)
	w.client = w.server.Client()
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w
}

func (w *world) advance(d time.Duration) { w.clock.Add(int64(d.Seconds())) }

// response is an answer with its whole body.
type response struct {
	*http.Response
	body string
}

// call sends a request below the prefix. Headers come in pairs of name and
// value.
func (w *world) call(method, path, body string, headers ...string) response {
	w.t.Helper()
	return w.send(method, "/v1/auth"+path, body, headers...)
}

func (w *world) send(method, path, body string, headers ...string) response {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	answer, err := w.client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response{Response: answer, body: string(text)}
}

// post sends JSON.
func (w *world) post(path, body string, headers ...string) response {
	w.t.Helper()
	return w.call(http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// expect fails unless an answer has exactly this status and body.
func (r response) expect(t *testing.T, status int, body string) {
	t.Helper()
	if r.StatusCode != status || r.body != body {
		t.Errorf("%s %s = %d %s, want %d %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status, body)
	}
}

// expectHeader fails unless a header has exactly this value.
func (r response) expectHeader(t *testing.T, name, value string) {
	t.Helper()
	if got := strings.Join(r.Header.Values(name), "|"); got != value {
		t.Errorf("%s %s: header %s = %q, want %q", r.Request.Method, r.Request.URL.Path, name, got, value)
	}
}

func (r response) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
}

// loggedIn is the body of the answer to a login.
type loggedIn struct {
	ID        string `json:"id"`
	Token     string `json:"token"`
	Email     string `json:"email"`
	IsNew     bool   `json:"is_new"`
	ExpiresAt string `json:"expires_at"`
}

// authorization returns the header of this login.
func (l loggedIn) authorization() []string { return []string{"Authorization", "Token " + l.Token} }

// mail requests a link and returns the token and the code of the mail.
func (w *world) mail(address string) (token, code string) {
	token, code, _ = w.request(address)
	return token, code
}

// request requests a link and returns the token and the code of the mail, and the
// request ID.
func (w *world) request(address string) (token, code, requestID string) {
	w.t.Helper()
	r := w.post("/by-link/link/", `{"email":"`+address+`"}`)
	if r.StatusCode != http.StatusOK {
		w.t.Fatalf("POST /by-link/link/ = %d %s, want 200", r.StatusCode, r.body)
	}
	var receipt struct {
		RequestID string `json:"request_id"`
	}
	r.decode(w.t, &receipt)
	last := w.mails.last()
	return strings.TrimPrefix(last.Link, linkBase), last.Code, receipt.RequestID
}

// masked returns an answer whose request ID is replaced by "R".
func (r response) masked() response {
	r.body = requestID.ReplaceAllString(r.body, `"request_id":"R"`)
	return r
}

var requestID = regexp.MustCompile(`"request_id":"[\w-]{22}"`)

// login logs in by link.
func (w *world) login(address string) loggedIn {
	w.t.Helper()
	token, _ := w.mail(address)
	r := w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`)
	if r.StatusCode != http.StatusOK {
		w.t.Fatalf("login: %d %s", r.StatusCode, r.body)
	}
	var login loggedIn
	r.decode(w.t, &login)
	return login
}
