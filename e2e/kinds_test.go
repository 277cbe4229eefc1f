package e2e

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/nodeop"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// TestOpenIDKinds logs in with named kinds of OpenID Connect providers, each with an
// issuer of its usual form.
func TestOpenIDKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ name, path, configured string }{
		{"keycloak", "/realms/main", "/realms/main"},
		{"okta-openidconnect", "/oauth2/default", "/oauth2/default"},
		{"auth0", "/", ""}, // the provider adds the slash at the end
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			idp := openid.Start(t, openid.Options{
				ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI}, Path: kind.path,
			})
			issuer := idp.Issuer[:len(idp.Issuer)-len(kind.path)] + kind.configured
			s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, []string{
				"provider " + kind.name + " " + oidcClientID + " {env.IDP_SECRET} {",
				"\tissuer " + issuer, "\tinsecure_allow_private_addresses", "\ttrust_addresses example.com", "}",
			})}, "IDP_SECRET="+oidcClientSecret)
			s.secrets.Add("client secret", oidcClientSecret)
			s.secrets.Add("e-mail address", "ann@example.com")
			s.loginByKind(t, kind.name, idp, openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true, Nickname: "ann"})
		})
	}
}

// loginByKind logs the same person in twice. The user name changes in between and
// does not identify the user.
func (s *site) loginByKind(t *testing.T, name string, idp *openid.Provider, person openid.Person) {
	t.Helper()
	idp.SignIn(person)
	f := s.authorizeAt(t, name, idp)
	checkProtected(t, f)
	first := s.loggedIn(t, s.redeem(t, f, map[string]any{"provider": name}))
	if first.user["email"] != person.Email || first.user["email_verified"] != true {
		t.Errorf("logged in as %v", first.user)
	}
	s.redeem(t, f, map[string]any{"provider": name, "state": nil}).refused(t, http.StatusBadRequest, "provider_denied")

	person.Nickname = "ann2"
	idp.SignIn(person)
	again := s.loggedIn(t, s.redeem(t, s.authorizeAt(t, name, idp), map[string]any{"provider": name}))
	if again.id != first.id || again.isNew {
		t.Errorf("the second login is %v, after %v", again.user, first.user)
	}
	person.Subject, person.Email = "s-2", "ben@example.com"
	idp.SignIn(person)
	other := s.loggedIn(t, s.redeem(t, s.authorizeAt(t, name, idp), map[string]any{"provider": name}))
	if other.id == first.id {
		t.Error("another user with the same user name logged in to the account")
	}
	idp.ForgeNonce("of-another-login")
	s.redeem(t, s.authorizeAt(t, name, idp), map[string]any{"provider": name}).
		refused(t, http.StatusBadRequest, "provider_mismatch")
}

// checkProtected looks for nonce and PKCE.
func checkProtected(t *testing.T, f flow) {
	t.Helper()
	address, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	if query.Get("code_challenge_method") != "S256" || len(query.Get("code_challenge")) < 43 || len(query.Get("nonce")) < 22 {
		t.Errorf("the authorize URL lacks a challenge or a nonce: %v", query)
	}
}

// TestOIDCProvider logs in with an independent OpenID provider, which requires PKCE
// and signs with ES256.
func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	folder, err := nodeop.Install(ctx)
	if err != nil {
		missing(t, "oidc-provider: %v", err)
	}
	idp := nodeop.Start(t, folder, nodeop.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI},
		Person: map[string]any{
			"sub": "n-1", "email": "ann@example.com", "email_verified": true,
			"given_name": "Ann", "family_name": "Lee", "preferred_username": "annlee",
		},
	})
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, providerLines("idp", idp.Issuer))},
		"IDP_SECRET="+oidcClientSecret)
	s.secrets.Add("client secret", oidcClientSecret)
	s.secrets.Add("e-mail address", "ann@example.com")

	f := s.authorize(t, idp)
	checkProtected(t, f)
	first := s.loggedIn(t, s.redeem(t, f, nil))
	for member, value := range map[string]any{
		"email": "ann@example.com", "email_verified": true, "is_new": true,
		"first_name": "Ann", "last_name": "Lee", "username": "annlee",
	} {
		if first.user[member] != value {
			t.Errorf("%s is %v, want %v", member, first.user[member], value)
		}
	}
	s.redeem(t, f, map[string]any{"state": nil}).refused(t, http.StatusBadRequest, "provider_denied")
	if again := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil)); again.id != first.id {
		t.Errorf("the second login is %v", again.user)
	}
	s.redeem(t, s.authorize(t, idp), map[string]any{"state": nil, "code_verifier": rand.Text() + rand.Text()}).
		refused(t, http.StatusBadRequest, "provider_denied")

	// The provider names itself in the response (RFC 9207).
	if f = s.authorize(t, idp); f.issuer != idp.Issuer {
		t.Errorf("came back from %q", f.issuer)
	}
	s.loggedIn(t, s.redeem(t, f, map[string]any{"iss": f.issuer}))
	s.redeem(t, s.authorize(t, idp), map[string]any{"iss": "https://evil.test"}).
		refused(t, http.StatusBadRequest, "provider_mismatch")
}

// TestAppTokens logs in with ID tokens of native applications: to the same account as
// on the web, and only if the audience is a configured application.
func TestAppTokens(t *testing.T) {
	t.Parallel()
	idp := openid.Start(t, openid.Options{
		ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI}, ClaimsInIDToken: true,
	})
	provider := func(name, client string, more ...string) []string {
		return slices.Concat([]string{
			"provider " + name + " " + client + " {env.IDP_SECRET} {",
			"\ttype oidc", "\tissuer " + idp.Issuer, "\tinsecure_allow_private_addresses", "\ttrust_addresses *", "\tid_token_login on",
		}, more, []string{"}"})
	}
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, provider("idp", oidcClientID),
		provider("apps", "another-client", "\taudience "+oidcClientID), provider("others", "another-client"))},
		"IDP_SECRET="+oidcClientSecret)
	s.secrets.Add("client secret", oidcClientSecret)
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true, GivenName: "Ann"})
	token := func() (text, nonce string) {
		f, verifier, nonce := s.own(t, idp)
		text = idp.IDToken(t, f.code, verifier, redirectURI)
		s.secrets.Add("ID token", text)
		return text, nonce
	}
	login := func(provider, text, nonce string) answer {
		return s.post(t, "/social/login/", map[string]any{
			"provider": provider, "id_token": text, "nonce": nonce, "client_key": clientKey,
		})
	}
	web := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil))

	text, nonce := token()
	native := s.loggedIn(t, login("idp", text, nonce))
	if native.id != web.id || native.isNew {
		t.Errorf("logged in as %v, on the web as %v", native.user, web.user)
	}
	if again := login("idp", text, nonce); again.status != http.StatusBadRequest {
		t.Errorf("the token a second time: %d %s", again.status, again.body)
	}

	text, nonce = token()
	s.loggedIn(t, login("apps", text, nonce))
	text, nonce = token()
	login("others", text, nonce).refused(t, http.StatusBadRequest, "provider_mismatch")
	text, _ = token()
	login("idp", text, "another-nonce").refused(t, http.StatusBadRequest, "provider_mismatch")
	text, nonce = token()
	login("idp", text[:len(text)-8]+"AAAAAAAA", nonce).refused(t, http.StatusBadRequest, "provider_mismatch")
}
