package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
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

// deafStorage is a store whose feed of revocations, keys and sessions can be cut off:
// `storage deaf`.
type deafStorage struct{}

// isDeaf says whether it is. Caddy makes modules by itself.
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

func (s deafStore) SessionsOf(ctx context.Context, userID string, now time.Time) ([]authcore.Session, error) {
	if isDeaf.Load() {
		return nil, authcore.ErrUnavailable
	}
	return s.Store.SessionsOf(ctx, userID, now)
}

// With `on_stale reject` and a store that says nothing any more, whoever sends a
// token gets 503 everywhere and 401 nowhere; whoever sends none is served.
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
			t.Errorf("%s: %d %s", path, got, body)
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

// A token of a key that could not be looked for was not judged.
func TestUnknownKeyIsUnavailable(t *testing.T) {
	isDeaf.Store(false)
	t.Cleanup(func() { isDeaf.Store(false) })
	realm := "storage deaf\nmailer log\ninsecure_debug_links"
	s := setup{Port: freePort(t), Realm: realm, Site: "token_auth\nrespond ok"}
	load(t, s.caddyfile())
	token := []string{"Authorization", "Token " + login(t, s, "ann@example.com")}
	other := setup{Port: s.Port, Realm: realm, Site: s.Site} // another store, other keys
	load(t, other.caddyfile())
	if response, _ := call(t, http.MethodGet, s.url("/"), nil, token...); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a key that is nowhere: %d", response.StatusCode)
	}
	isDeaf.Store(true)
	load(t, strings.Replace(s.caddyfile(), "storage deaf", "storage memory", 1))
	fresh := []string{"Authorization", "Token " + login(t, s, "ann@example.com")}
	isDeaf.Store(false)
	load(t, s.caddyfile())
	isDeaf.Store(true)
	response, body := call(t, http.MethodGet, s.url("/"), nil, fresh...)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "5" || body != gate.BodyUnavailable {
		t.Errorf("a key that could not be looked for: %d %s", response.StatusCode, body)
	}
	response, body = call(t, http.MethodGet, s.url("/v1/auth/user/"), nil, fresh...)
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the login API: %d %s", response.StatusCode, body)
	}
}
