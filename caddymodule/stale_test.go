package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func init() {
	caddy.RegisterModule(new(deafStorage))
}

// deafStorage is a store whose feed, keys and accounts can be made unavailable: `storage
// deaf`.
type deafStorage struct{}

// isDeaf makes it unavailable. It is a global because Caddy creates modules.
var isDeaf atomic.Bool

func (*deafStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.deaf", New: func() caddy.Module { return new(deafStorage) }}
}

func (*deafStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return nil
}

func (*deafStorage) OpenStorage(context.Context, string) (authcore.Store, func() error, error) {
	return deafStore{memory.New()}, func() error { return nil }, nil
}

type deafStore struct{ authcore.Store }

func (s deafStore) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	if isDeaf.Load() {
		return nil, "", authcore.ErrUnavailable
	}
	return s.Store.RevocationsSince(ctx, cursor)
}

func (s deafStore) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	if isDeaf.Load() {
		return nil, authcore.ErrUnavailable
	}
	return s.Store.UpdateKeys(ctx, change)
}

func (s deafStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	if isDeaf.Load() {
		return authcore.Account{}, authcore.ErrUnavailable
	}
	return s.Store.Account(ctx, ref, now)
}

// With `on_stale reject` and an unavailable store, a request with a token gets 503
// everywhere and never 401; an anonymous request is served.
func TestStaleRevocationsAreUnavailable(t *testing.T) {
	isDeaf.Store(false)
	t.Cleanup(func() { isDeaf.Store(false) })
	s := setup{
		Port:  freePort(t),
		Realm: "storage deaf\nmailer log\ninsecure_debug_links\nrevocation_max_staleness 5s\non_stale reject",
		Site: `handle /metrics {
			metrics
		}
		handle {
			token_auth {
				public /health
				optional
			}
			respond ok
		}
		handle_errors {
			respond "error page"
		}`,
	}
	load(t, s.caddyfile())
	token := []string{"Authorization", "Token " + login(t, s, "ann@example.com")}
	paths := []string{"/app", "/v1/auth/user/", "/v1/auth/verify/", "/v1/auth/sessions/"}
	status := func(path string, header ...string) (int, string) {
		response, body := call(t, http.MethodGet, s.url(path), nil, header...)
		if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
			t.Errorf("%s: without Retry-After", path)
		}
		return response.StatusCode, body
	}
	for _, path := range paths {
		if got, body := status(path, token...); got != http.StatusOK {
			t.Errorf("%s while all is well: %d %s", path, got, body)
		}
	}
	isDeaf.Store(true)
	servertest.Eventually(t, "the revocations are stale", func() bool { got, _ := status("/app", token...); return got == http.StatusServiceUnavailable })
	for _, path := range paths {
		if got, body := status(path, token...); got != http.StatusServiceUnavailable || body != gate.BodyUnavailable {
			t.Errorf("%s: got %d %s", path, got, body)
		}
	}
	realm, err := findRealm(caddy.ActiveContext(), "")
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set(token[0], token[1])
	recorder := httptest.NewRecorder()
	if _, ok, err := (&Authenticator{realm: realm}).Authenticate(recorder, request); ok || err == nil {
		t.Errorf("authenticator: %t, %v", ok, err)
	}
	if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Retry-After") == "" ||
		recorder.Header().Get("Content-Length") != strconv.Itoa(len(gate.BodyUnavailable)) {
		t.Errorf("Caddy's authentication: %d %v", recorder.Code, recorder.Header())
	}
	if got, body := status("/app"); got != http.StatusOK {
		t.Errorf("without a token: %d %s", got, body)
	}
	if got, body := status("/health", token...); got != http.StatusOK {
		t.Errorf("a public path: %d %s", got, body)
	}
	if got, _ := status("/app", "Authorization", "Token x"); got != http.StatusUnauthorized {
		t.Errorf("no token at all: %d", got)
	}
	_, metrics := status("/metrics")
	for _, want := range []string{
		`edgeauth_gate_decisions_total{realm="",reason="stale"}`, `edgeauth_revocations_age_seconds{realm=""} `,
		`edgeauth_revocation_lag_seconds_count{realm=""} 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s", want)
		}
	}
	isDeaf.Store(false)
	servertest.Eventually(t, "the revocations are followed again", func() bool { got, _ := status("/app", token...); return got == http.StatusOK })
}

// A request that arrives while the realm cannot start gets 503: people get a page, scripts
// get JSON.
func TestPageBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		browser, err := gate.NewBrowser(gate.BrowserConfig{Origin: "https://app.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		handler := &TokenAuth{realm: &Realm{started: make(chan struct{}), startWait: startWait}, site: gate.Site{Browser: browser}}
		for mode, want := range map[string]string{"navigate": "text/html; charset=utf-8", "cors": "application/json"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Sec-Fetch-Mode", mode)
			r.Header.Set("Sec-Fetch-Dest", "document")
			w := httptest.NewRecorder()
			err := handler.serve(w, r, new(requestIdentity), nil)
			if got := w.Header().Get("Content-Type"); err != nil || w.Code != http.StatusServiceUnavailable || got != want {
				t.Errorf("a request with the mode %s = %d %s, %v, want 503 %s", mode, w.Code, got, err, want)
			}
		}
	})
}
