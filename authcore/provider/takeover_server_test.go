package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/provider"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// Tenants of azuread-oauth2.
const (
	tenantA = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	tenantB = "0d2bafab-fc1a-4a0b-b4b4-2c7a8a9f6a11"
)

// members are the members of a provider's response.
type members map[string]any

// reports returns the response about an account with an address and more members.
func reports(address string, more members) members {
	all := members{"id": "4711", "oid": "4711", "sub": "4711", "tid": tenantA, "email": address}
	maps.Copy(all, more)
	return all
}

// server plays four kinds of provider: one that verifies addresses (discord), one
// that never does (spotify), one with an issuer for each tenant (azuread-oauth2),
// and one with former subjects (google-oauth2). Each login is about the account that
// was set last.
type server struct {
	*httptest.Server
	signer jose.Signer
	keys   jose.JSONWebKeySet

	mu       sync.Mutex
	reported members
}

func newServer(t *testing.T) *server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("GenerateKey() failed: %v", err)
	}
	s := &server{keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Use: "sig"}}}}
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatalf("NewSigner() failed: %v", err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/token", s.token)
	routes.HandleFunc("/{tenant}/oauth2/v2.0/token", s.token)
	routes.HandleFunc("/{tenant}/discovery/v2.0/keys", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.keys) })
	routes.HandleFunc("/google/token", s.googleToken)
	routes.HandleFunc("/google/oauth2/v3/certs", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.keys) })
	routes.HandleFunc("/google/v1/userinfo", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.account()) })
	routes.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.account()) })
	s.Server = httptest.NewServer(routes)
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (s *server) account() members {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reported
}

func (s *server) token(w http.ResponseWriter, _ *http.Request) {
	claims := reports("", s.account())
	s.sign(w, claims, s.URL+"/"+claims["tid"].(string)+"/v2.0")
}

func (s *server) googleToken(w http.ResponseWriter, _ *http.Request) {
	s.sign(w, reports("", s.account()), s.URL+"/google")
}

// sign answers with an ID token.
func (s *server) sign(w http.ResponseWriter, claims members, issuer string) {
	claims["iss"] = issuer
	claims["aud"], claims["iat"], claims["exp"] = "client", time.Now().Unix(), time.Now().Add(time.Hour).Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	signed, err := s.signer.Sign(payload)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	raw, _ := signed.CompactSerialize()
	answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": raw})
}

// providers returns the kinds in a typical configuration.
func (s *server) providers(t *testing.T) []authcore.Provider {
	t.Helper()
	var list []authcore.Provider
	for _, config := range []provider.Config{
		{Name: "discord", TokenURL: s.URL + "/token", UserInfoURL: s.URL + "/me"},
		{Name: "spotify", TokenURL: s.URL + "/token", UserInfoURL: s.URL + "/me"},
		{Name: "azuread-oauth2", BaseURL: s.URL},
		{Name: "google-oauth2", BaseURL: s.URL + "/google"},
	} {
		config.ClientID, config.ClientSecret, config.AllowPrivate = "client", "secret", true
		p, err := provider.New(config, provider.Deps{})
		if err != nil {
			t.Fatalf("New() failed: %v", err)
		}
		list = append(list, p)
	}
	return list
}

// clientKey is the key of the only client.
const clientKey = "web-key"

// fixture is a realm with the providers of a server.
type fixture struct {
	*realm.Realm
	*socialauth.Importer
	t      *testing.T
	store  authcore.Store
	server *server
}

// open returns a realm with these rules in front of the server.
func (s *server) open(t *testing.T, list []authcore.Provider, rules account.Rules) *fixture {
	t.Helper()
	store := memory.New()
	opened, err := realm.New(t.Context(), realm.Config{
		EmailLink: "https://frontend.app/" + authcore.LinkPlaceholder, DebugLinks: true,
		Clients:   []authcore.Client{{Name: "web", Key: clientKey, RedirectURIs: []string{"https://frontend.app/callback"}}},
		Providers: list, Rules: rules, Store: store,
		Limits: ratelimit.Limits{LinkOverall: ratelimit.Rate{N: 1 << 30, Window: time.Minute}},
	})
	if err != nil {
		t.Fatalf("realm.New() failed: %v", err)
	}
	byName := map[string]authcore.Provider{}
	for _, p := range list {
		byName[p.Name()] = p
	}
	importer := socialauth.New(socialauth.Config{Store: store, Accounts: opened.Accounts, Providers: byName})
	return &fixture{opened, importer, t, store, s}
}

// byLink logs in by link.
func (f *fixture) byLink(email string) session.Grant {
	f.t.Helper()
	receipt, err := f.Logins.RequestLink(f.t.Context(), login.LinkRequest{Email: email})
	if err != nil {
		f.t.Fatalf("RequestLink(%s) failed: %v", email, err)
	}
	secret := strings.TrimPrefix(receipt.DebugLink, "https://frontend.app/")
	grant, err := f.Logins.ByLink(f.t.Context(), login.LinkLogin{Token: secret, ClientKey: clientKey})
	if err != nil {
		f.t.Fatalf("ByLink() failed: %v", err)
	}
	return grant
}

func (f *fixture) claims(token string) *gate.Claims {
	f.t.Helper()
	claims, err := f.Authenticate([]string{"Token " + token})
	if err != nil {
		f.t.Fatalf("Authenticate() failed: %v", err)
	}
	return claims
}

// social logs in through a provider that reports this account.
func (f *fixture) social(kind string, reported members) (session.Grant, error) {
	f.t.Helper()
	f.server.mu.Lock()
	f.server.reported = reported
	f.server.mu.Unlock()
	return f.Logins.Social(f.t.Context(), login.SocialLogin{Provider: kind, Code: "code", ClientKey: clientKey})
}

// owner stores a user with the address and returns its ID.
func (f *fixture) owner(verified bool) string {
	f.t.Helper()
	const id = "0190f5fe-0000-7000-8000-000000000001"
	created := time.Unix(1, 0).UTC()
	items := []authcore.Item{
		{User: &authcore.User{ID: id, Email: victim, EmailVerified: verified, Created: created}},
		{Identity: &authcore.Identity{Provider: "elsewhere", Subject: "owner", UserID: id, PublicID: "owner", Created: created}},
	}
	if n, err := f.store.Import(f.t.Context(), items); err != nil || n != len(items) {
		f.t.Fatalf("Import() = %d, %v, want %d", n, err, len(items))
	}
	return id
}
