package provider

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// Values that all tests share.
const (
	testIssuer = "https://idp.example"
	testID     = "client-1"
	testSecret = "secret-1-never-shown"
	testCode   = "code-1-never-shown"
	testAccess = "access-1-never-shown"
	testReturn = "https://frontend.app/auth/callback"
)

// testTime is the time of all tests.
var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

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

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// signingKeys are expensive and made once for all tests.
type signingKeys struct {
	rsa, otherRSA, weakRSA *rsa.PrivateKey
	ec                     *ecdsa.PrivateKey
	ed                     ed25519.PrivateKey
}

var testKeys = sync.OnceValue(func() signingKeys {
	var k signingKeys
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.otherRSA, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.weakRSA, _ = rsa.GenerateKey(rand.Reader, 1024)
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

// seen is one request as the fake received it.
type seen struct {
	method, host, path string
	query, form        url.Values
	header             http.Header
}

// fake plays all hosts. Handlers are found by host and path.
type fake struct {
	t      *testing.T
	server *httptest.Server
	ended  chan struct{}

	// date is the clock of the fake, for the header of that name.
	date func() time.Time

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	requests []seen
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, ended: make(chan struct{}), handlers: map[string]http.HandlerFunc{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(func() {
		close(f.ended)
		f.server.Close()
	})
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	f.mu.Lock()
	f.requests = append(f.requests, seen{r.Method, r.Host, r.URL.Path, r.URL.Query(), form, r.Header})
	handler := f.handlers[r.Host+r.URL.Path]
	f.mu.Unlock()
	if f.date != nil {
		w.Header().Set("Date", f.date().UTC().Format(http.TimeFormat))
	}
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	r.Form = form
	handler(w, r)
}

// RoundTrip implements http.RoundTripper for all hosts.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = "http", f.server.Listener.Addr().String()
	return f.server.Client().Transport.RoundTrip(r)
}

func (f *fake) handle(address string, handler http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[strings.TrimPrefix(address, "https://")] = handler
}

// answer makes an address answer with JSON: a string as it is, else encoded.
func (f *fake) answer(address string, status int, body any) {
	text, isText := body.(string)
	if !isText {
		encoded, err := json.Marshal(body)
		if err != nil {
			f.t.Fatalf("Marshal() failed: %v", err)
		}
		text = string(encoded)
	}
	f.handle(address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, text)
	})
}

// to returns the requests to an address.
func (f *fake) to(address string) []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []seen
	for _, r := range f.requests {
		if r.host+r.path == strings.TrimPrefix(address, "https://") {
			found = append(found, r)
		}
	}
	return found
}

// heard reports whether a host received a request.
func (f *fake) heard(host string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.requests, func(r seen) bool { return r.host == host })
}

// script is a provider of any kind in a normal state, which a test changes.
type script struct {
	*fake
	clock  *clock
	cfg    Config
	deps   Deps
	at     endpoints
	claims map[string]any
	nonce  string
	sign   func(claims map[string]any) string
	once   sync.Map // codes that were used
	// docs are the answers of a recorded provider.
	docs map[string]any
}

// provider builds the provider under test.
func (s *script) provider() authcore.Provider {
	s.t.Helper()
	p, err := New(s.cfg, s.deps)
	if err != nil {
		s.t.Fatalf("New() failed: %v", err)
	}
	return p
}

func (s *script) exchange(p authcore.Provider) (authcore.Profile, error) {
	return p.Exchange(s.t.Context(), s.request())
}

func (s *script) request() authcore.ExchangeRequest {
	return authcore.ExchangeRequest{Code: testCode, RedirectURI: testReturn, Verifier: "verifier-1", Nonce: s.nonce, Device: "device-1"}
}

func newScript(t *testing.T, cfg Config, at endpoints) *script {
	t.Helper()
	s := &script{fake: newFake(t), clock: &clock{now: testTime}, cfg: cfg, at: at}
	s.cfg.ClientID, s.cfg.ClientSecret = testID, testSecret
	s.deps = Deps{Transport: s.fake, Now: s.clock.Now}
	s.handle(at.token, s.serveToken)
	return s
}

// serveToken redeems testCode once, as RFC 6749, section 4.1.2, demands it.
func (s *script) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, used := s.once.LoadOrStore(r.Form.Get("code"), true)
	if used || r.Form.Get("code") != testCode {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant","error_description":"code `+r.Form.Get("code")+` of ada@example.com was used"}`)
		return
	}
	answer := map[string]any{"access_token": testAccess, "token_type": "bearer", "expires_in": 3599}
	if recorded, found := s.docs["token"].(map[string]any); found {
		answer = maps.Clone(recorded)
	}
	if s.sign != nil {
		answer["id_token"] = s.sign(s.claims)
	}
	json.NewEncoder(w).Encode(answer)
}

// withIDTokens adds keys, and claims as every ID token has them.
func (s *script) withIDTokens(issuer string) *script {
	s.nonce = "nonce-1"
	s.claims = map[string]any{
		"iss": issuer, "aud": testID, "sub": "subject-1", "nonce": s.nonce,
		"iat": testTime.Unix(), "exp": testTime.Add(time.Hour).Unix(),
	}
	s.sign = signer(jwt.SigningMethodRS256, testKeys().rsa, "kid-1")
	s.answer(s.at.jwks, 200, publicKeys("kid-1", &testKeys().rsa.PublicKey))
	return s
}

func (s *script) claim(claims map[string]any) *script {
	maps.Copy(s.claims, claims)
	return s
}

func signer(method jwt.SigningMethod, key any, kid string) func(map[string]any) string {
	return func(claims map[string]any) string {
		token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
		token.Header["kid"] = kid
		if kid == "" {
			delete(token.Header, "kid")
		}
		text, err := token.SignedString(key)
		if err != nil {
			panic(err)
		}
		return text
	}
}

func publicKeys(kid string, keys ...crypto.PublicKey) jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig"})
	}
	return set
}

// googleScript, githubScript and oidcScript are the three kinds that the tests
// of the machinery use.
func googleScript(t *testing.T) *script {
	t.Helper()
	return rowOf(t, "google-oauth2").script(t)
}

func githubScript(t *testing.T) *script {
	t.Helper()
	return rowOf(t, "github").script(t)
}

func oidcScript(t *testing.T) *script {
	t.Helper()
	return rowOf(t, "oidc").script(t)
}

func rowOf(t *testing.T, name string) *recorded {
	t.Helper()
	for _, row := range rows() {
		if row.name() == name {
			return &row
		}
	}
	t.Fatalf("there is no row for %s", name)
	return nil
}

const discoveryAddress = testIssuer + "/.well-known/openid-configuration"

// document is the discovery document of the script, for tests to change.
func (s *script) document() map[string]any {
	return map[string]any{
		"issuer": testIssuer, "authorization_endpoint": s.at.authorize, "token_endpoint": s.at.token,
		"userinfo_endpoint": s.at.userInfo, "jwks_uri": s.at.jwks,
	}
}

// wants checks that an error is of the given kind and of no other, and that it
// quotes no secret.
func wants(t *testing.T, err, kind error) {
	t.Helper()
	all := []error{
		authcore.ErrProviderDenied, authcore.ErrProviderMismatch, authcore.ErrProviderFailed,
		authcore.ErrProviderTimeout, context.Canceled,
	}
	for _, other := range all {
		if errors.Is(err, other) != errors.Is(kind, other) {
			t.Errorf("the error is %q, want %q", err, kind)
		}
	}
	if err == nil {
		return
	}
	for _, secret := range []string{testSecret, testCode, testAccess, "verifier-1", "ada@example.com", "<html"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q contains %q", err, secret)
		}
	}
}
