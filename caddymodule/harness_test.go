package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/caddyserver/certmagic"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

const testKey = "dev-client-key-of-tests"

func TestMain(m *testing.M) {
	if os.Getenv(migrateFrom) != "" {
		os.Exit(migrateUntilKilled())
	}
	folder, err := os.MkdirTemp("", "edgeauth")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"} {
		os.Setenv(name, folder)
	}
	caddy.DefaultStorage = &certmagic.FileStorage{Path: folder}
	caddy.ConfigAutosavePath = filepath.Join(folder, "autosave.json")
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// adapt turns a Caddyfile into JSON.
func adapt(text string) ([]byte, error) {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	return adapted, err
}

// load runs a Caddyfile in this process, in place of the one before.
func load(t *testing.T, text string) {
	t.Helper()
	if err := tryLoad(t, text); err != nil {
		t.Fatalf("load: %v", err)
	}
}

func tryLoad(t *testing.T, text string) error {
	t.Helper()
	adapted, err := adapt(text)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = caddy.Stop() })
	return caddy.Load(adapted, true)
}

// validate does what `caddy validate` does.
func validate(text string) error {
	adapted, err := adapt(text)
	if err != nil {
		return err
	}
	var config *caddy.Config
	if err := caddy.StrictUnmarshalJSON(adapted, &config); err != nil {
		return err
	}
	return caddy.Validate(config)
}

// freePort returns a port without a listener.
func freePort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(servertest.FreePort(t))
}

// setup is a Caddyfile in parts that tests replace.
type setup struct {
	Port     string
	Globals  string // more global options
	Realm    string // options of the default realm besides client and email_link
	Client   string // options of the client
	Site     string // what the site does after login_api
	LoginAPI string
	Sites    string // more sites
}

func (s setup) caddyfile() string {
	if s.LoginAPI == "" {
		s.LoginAPI = "login_api"
	}
	return fmt.Sprintf(`{
	admin off
	grace_period 2s
	%s
	edgeauth {
		client web %s {
			origin https://frontend.app
			redirect_uri https://frontend.app/auth/callback
			%s
		}
		email_link https://frontend.app/auth/link/{token}
		%s
	}
}
http://127.0.0.1:%s {
	%s
	%s
}
%s
`, s.Globals, testKey, s.Client, s.Realm, s.Port, s.LoginAPI, s.Site, s.Sites)
}

func (s setup) url(path string) string { return "http://127.0.0.1:" + s.Port + path }

// call sends a request and returns the answer with its body. Caddy hands its
// sockets over on a reload, and may then cut a connection before it has read a
// request: that is tried again, as every client does.
func call(t *testing.T, method, url string, body any, header ...string) (*http.Response, string) {
	t.Helper()
	for tries := 0; ; tries++ {
		response, content, err := tryCall(t, method, url, body, header...)
		if err == nil {
			return response, content
		}
		if tries == 5 {
			t.Fatal(err)
		}
	}
}

func tryCall(t *testing.T, method, url string, body any, header ...string) (*http.Response, string, error) {
	t.Helper()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header[header[i]] = append(request.Header[header[i]], header[i+1])
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, string(content), err
}

// post is call with a JSON object that must be answered with this status.
func post(t *testing.T, url string, body map[string]any, status int, header ...string) map[string]any {
	t.Helper()
	var payload any
	if body != nil {
		payload = body
	}
	response, content := call(t, http.MethodPost, url, payload, header...)
	if response.StatusCode != status {
		t.Fatalf("POST %s: status %d, want %d: %s", url, response.StatusCode, status, content)
	}
	answer := map[string]any{}
	if content != "" {
		if err := json.Unmarshal([]byte(content), &answer); err != nil {
			t.Fatalf("POST %s: %v: %s", url, err, content)
		}
	}
	return answer
}

// debugLink asks for a link and returns its secret.
func debugLink(t *testing.T, s setup, email string) string {
	t.Helper()
	answer := post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": email}, http.StatusOK)
	link, _ := answer["_debug_auth_link"].(string)
	_, secret, found := strings.Cut(link, "/auth/link/")
	if !found {
		t.Fatalf("no link in the answer: %v", answer)
	}
	return secret
}

// spend logs in with the secret of a link and returns the token.
func spend(t *testing.T, s setup, secret string) string {
	t.Helper()
	answer := post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"token": secret, "client_key": testKey}, http.StatusOK)
	token, _ := answer["token"].(string)
	if token == "" {
		t.Fatalf("no token in the answer: %v", answer)
	}
	return token
}

func login(t *testing.T, s setup, email string) string {
	t.Helper()
	return spend(t, s, debugLink(t, s, email))
}

// upstream is an application that notes what reaches it.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	header   http.Header
	trailer  http.Header
	requests int
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.mu.Lock()
		u.header, u.trailer = r.Header.Clone(), r.Trailer.Clone()
		u.requests++
		u.mu.Unlock()
		if origin := r.URL.Query().Get("allow"); origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
		_, _ = io.WriteString(w, "upstream")
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) last() (header, trailer http.Header, requests int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.header, u.trailer, u.requests
}

func (u *upstream) proxy() string { return "reverse_proxy " + u.Listener.Addr().String() }

// mailbox is an HTTP mail API.
type mailbox struct {
	*httptest.Server
	mails chan map[string]string
	// gate, when not nil, holds answers back until it is closed.
	gate chan struct{}
}

func newMailbox(t *testing.T) *mailbox {
	m := &mailbox{mails: make(chan map[string]string, 100)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var mail map[string]string
		if err := json.NewDecoder(r.Body).Decode(&mail); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if m.gate != nil {
			<-m.gate
		}
		m.mails <- mail
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mailbox) option() string {
	return fmt.Sprintf("mailer webhook %s {\n from login@example.com\n}", m.URL)
}

// receive waits for a mail.
func (m *mailbox) receive(t *testing.T) map[string]string {
	t.Helper()
	select {
	case mail := <-m.mails:
		return mail
	case <-time.After(time.Minute):
		t.Fatal("no mail came")
		return nil
	}
}
