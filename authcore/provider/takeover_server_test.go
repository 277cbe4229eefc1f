package provider_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/provider"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// The tenants of the provider that has some.
const (
	tenantA = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	tenantB = "0d2bafab-fc1a-4a0b-b4b4-2c7a8a9f6a11"
)

// person is what a provider says about whoever logs in.
type person map[string]any

// say is a person who may say of whom an address is.
func say(address string, more person) person {
	said := person{"id": "4711", "oid": "4711", "sub": "4711", "tid": tenantA, "email": address}
	for name, value := range more {
		said[name] = value
	}
	return said
}

// classes is a server that speaks for four real kinds of provider: one whose
// word on an address counts (discord), one whose word never does (spotify), one
// with an issuer for each tenant (azuread-oauth2), and one with former subjects
// (google-oauth2). It says of everybody what
// it was last told to.
type classes struct {
	*httptest.Server
	signer jose.Signer
	keys   jose.JSONWebKeySet

	mu   sync.Mutex
	says person
}

func newClasses(t *testing.T) *classes {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &classes{keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Use: "sig"}}}}
	c.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/token", c.token)
	routes.HandleFunc("/{tenant}/oauth2/v2.0/token", c.token)
	routes.HandleFunc("/{tenant}/discovery/v2.0/keys", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.keys) })
	routes.HandleFunc("/google/token", c.googleToken)
	routes.HandleFunc("/google/oauth2/v3/certs", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.keys) })
	routes.HandleFunc("/google/v1/userinfo", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.person()) })
	routes.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.person()) })
	c.Server = httptest.NewServer(routes)
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (c *classes) person() person {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.says
}

func (c *classes) token(w http.ResponseWriter, _ *http.Request) {
	claims := say("", c.person())
	c.sign(w, claims, c.URL+"/"+claims["tid"].(string)+"/v2.0")
}

func (c *classes) googleToken(w http.ResponseWriter, _ *http.Request) {
	c.sign(w, say("", c.person()), c.URL+"/google")
}

// sign answers with an ID token.
func (c *classes) sign(w http.ResponseWriter, claims person, issuer string) {
	claims["iss"] = issuer
	claims["aud"], claims["iat"], claims["exp"] = "client", time.Now().Unix(), time.Now().Add(time.Hour).Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	signed, err := c.signer.Sign(payload)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	raw, _ := signed.CompactSerialize()
	answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": raw})
}

// providers returns the kinds, as an operator would configure them.
func (c *classes) providers(t *testing.T) []authcore.Provider {
	t.Helper()
	var list []authcore.Provider
	for _, config := range []provider.Config{
		{Name: "discord", TokenURL: c.URL + "/token", UserInfoURL: c.URL + "/me"},
		{Name: "spotify", TokenURL: c.URL + "/token", UserInfoURL: c.URL + "/me"},
		{Name: "azuread-oauth2", BaseURL: c.URL},
		{Name: "google-oauth2", BaseURL: c.URL + "/google"},
	} {
		config.ClientID, config.ClientSecret, config.AllowPrivate = "client", "secret", true
		p, err := provider.New(config, provider.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// key is that of the one client.
const key = "web-key"

// comer is a realm into which people come, by link or through one of the kinds.
type comer struct {
	*authcore.Service
	t      *testing.T
	store  authcore.Store
	server *classes
}

// open returns a realm with these rules in front of the server.
func (c *classes) open(t *testing.T, list []authcore.Provider, rules authcore.AccountRules) *comer {
	t.Helper()
	store := memory.New()
	service, err := authcore.New(t.Context(), authcore.Config{
		EmailLink: "https://frontend.app/" + authcore.LinkPlaceholder, DebugLinks: true,
		Clients:   []authcore.Client{{Name: "web", Key: key, RedirectURIs: []string{"https://frontend.app/callback"}}},
		Providers: list, Accounts: rules, Store: store,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &comer{service, t, store, c}
}

// loginAs logs in by link.
func (c *comer) loginAs(email string) authcore.Login {
	c.t.Helper()
	receipt, err := c.RequestLink(c.t.Context(), authcore.LinkRequest{Email: email})
	if err != nil {
		c.t.Fatal(err)
	}
	secret := strings.TrimPrefix(receipt.DebugLink, "https://frontend.app/")
	login, err := c.LoginByLink(c.t.Context(), authcore.LinkLogin{Token: secret, ClientKey: key})
	if err != nil {
		c.t.Fatal(err)
	}
	return login
}

func (c *comer) claims(token string) *gate.Claims {
	c.t.Helper()
	claims, err := c.Authenticate(c.t.Context(), []string{"Token " + token})
	if err != nil {
		c.t.Fatal(err)
	}
	return claims
}

func (c *comer) comes(kind string, says person) (authcore.Login, error) {
	c.t.Helper()
	c.server.mu.Lock()
	c.server.says = says
	c.server.mu.Unlock()
	return c.LoginSocial(c.t.Context(), authcore.SocialLogin{Provider: kind, Code: "code", ClientKey: key})
}
