package openid

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// Options of a Provider.
type Options struct {
	// ClientID and ClientSecret of the one client.
	ClientID, ClientSecret string
	// RedirectURIs that the client registered.
	RedirectURIs []string
	// ClaimsInIDToken puts e-mail and names into the ID token too; without it
	// they are at the userinfo endpoint only (OpenID Connect Core 1.0, section
	// 5.4).
	ClaimsInIDToken bool
	// Path of the issuer, such as "/realms/main" or "/"; none by default.
	Path string
}

// Person is a user with an account at the provider.
type Person struct {
	Subject             string
	Email               string
	EmailVerified       bool
	GivenName, LastName string
	Nickname            string
	// Roles are in the claim realm_access.roles of the ID token, as with Keycloak.
	Roles []string
}

// Provider is a running provider.
type Provider struct {
	Issuer string

	storage *storage
	server  *httptest.Server

	mu       sync.Mutex
	userInfo func(map[string]any)
	calls    map[string]int
}

// Start starts a provider at a loopback address, over plain HTTP.
func Start(t testing.TB, options Options) *Provider {
	t.Helper()
	p := &Provider{storage: newStorage(t, options), calls: map[string]int{}}
	mux, outer := http.NewServeMux(), http.NewServeMux()
	prefix := strings.TrimSuffix(options.Path, "/")
	outer.Handle(prefix+"/", http.StripPrefix(prefix, mux))
	outer.Handle(loginPath, mux)
	p.server = httptest.NewServer(outer)
	t.Cleanup(p.server.Close)
	p.Issuer = strings.Replace(p.server.URL, "127.0.0.1", "localhost", 1) + options.Path

	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		t.Fatal(err)
	}
	provider, err := op.NewProvider(
		&op.Config{CryptoKey: key, CodeMethodS256: true, AuthMethodPost: true},
		p.storage, op.StaticIssuer(p.Issuer),
		op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		t.Fatal(err)
	}
	callback := op.AuthCallbackURL(provider)
	mux.HandleFunc("GET "+loginPath, func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		if !p.storage.approve(id) {
			http.Error(w, "no person is signed in", http.StatusForbidden)
			return
		}
		ctx := op.ContextWithIssuer(r.Context(), p.Issuer)
		http.Redirect(w, r, callback(ctx, id), http.StatusFound)
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		p.count(r)
		p.serveUserInfo(provider, w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.count(r)
		provider.ServeHTTP(w, r)
	})
	return p
}

func (p *Provider) count(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[r.URL.Path]++
}

// Calls returns the number of requests for a path.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// SignIn signs a person in, for all logins from now on.
func (p *Provider) SignIn(person Person) { p.storage.seat(person) }

// ForgeNonce puts another nonce into ID tokens; "" stops it.
func (p *Provider) ForgeNonce(nonce string) { p.storage.forge(nonce) }

// AlterUserInfo applies change to every answer of the userinfo endpoint; nil stops
// it.
func (p *Provider) AlterUserInfo(change func(map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.userInfo = change
}

func (p *Provider) serveUserInfo(provider http.Handler, w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	change := p.userInfo
	p.mu.Unlock()
	if change == nil {
		provider.ServeHTTP(w, r)
		return
	}
	recorder := httptest.NewRecorder()
	provider.ServeHTTP(recorder, r)
	var claims map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &claims); err != nil {
		http.Error(w, "not JSON", http.StatusInternalServerError)
		return
	}
	change(claims)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(claims)
}

// Browse opens an authorize URL as a browser does and returns the parameters
// with which the provider sends it back to redirectURI.
func (p *Provider) Browse(t testing.TB, authorizeURL, redirectURI string) url.Values {
	t.Helper()
	return Browse(t, p.server.Client(), authorizeURL, redirectURI)
}

// IDToken redeems a code as a native application does and returns the ID token.
func (p *Provider) IDToken(t testing.TB, code, verifier, redirectURI string) string {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Issuer+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(p.storage.client.options.ClientID, p.storage.client.options.ClientSecret)
	response, err := p.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.IDToken == "" {
		t.Fatalf("no ID token: %s, %v", response.Status, err)
	}
	return answer.IDToken
}

// Browse is Provider.Browse for any provider that asks nothing.
func Browse(t testing.TB, client *http.Client, authorizeURL, redirectURI string) url.Values {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	values, err := browse(ctx, client, authorizeURL, redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func browse(ctx context.Context, client *http.Client, address, redirectURI string) (url.Values, error) {
	hop := *client
	hop.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for range 10 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		response, err := hop.Do(request)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		next, err := response.Location()
		if err != nil {
			return nil, fmt.Errorf("%s answers %s and leads nowhere", address, response.Status)
		}
		if strings.HasPrefix(next.String(), redirectURI+"?") {
			return next.Query(), nil
		}
		address = next.String()
	}
	return nil, fmt.Errorf("the provider goes round in circles")
}
