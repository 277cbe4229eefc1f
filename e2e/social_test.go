package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// Credentials of the edge at the OpenID provider.
const (
	oidcClientID     = "edge-client"
	oidcClientSecret = "edge-client-s3cret-9a7c"
)

// socialSite is a site with a real OpenID provider named "idp".
func socialSite(t *testing.T, options openid.Options) (*site, *openid.Provider) {
	t.Helper()
	options.ClientID, options.ClientSecret = oidcClientID, oidcClientSecret
	options.RedirectURIs = []string{redirectURI, redirectURI + "/other"}
	idp := openid.Start(t, options)
	realm := slices.Concat(debugLinks, noLimits, providerLines("idp", idp.Issuer))
	s := newSite(t, caddyfile{Realm: realm}, "IDP_SECRET="+oidcClientSecret)
	s.secrets.Add("client secret", oidcClientSecret)
	return s, idp
}

// providerLines configures an OpenID provider at a loopback address.
func providerLines(name, issuer string) []string {
	return []string{
		"provider " + name + " " + oidcClientID + " {env.IDP_SECRET} {",
		"\ttype oidc", "\tissuer " + issuer, "\tinsecure_allow_private_addresses",
		"\ttrust_addresses *", "\tid_token_login on", "}",
	}
}

// flow is a pending social login.
type flow struct{ url, state, code, issuer string }

// browser completes a login at a provider.
type browser interface {
	Browse(t testing.TB, authorizeURL, redirectURI string) url.Values
}

// authorize begins a login at the edge and completes it at the provider.
func (s *site) authorize(t *testing.T, idp browser) flow {
	t.Helper()
	return s.authorizeAt(t, "idp", idp)
}

// authorizeAt is authorize for a provider of another name.
func (s *site) authorizeAt(t *testing.T, name string, idp browser) flow {
	t.Helper()
	return s.follow(t, idp, s.post(t, "/social/authorize/"+name+"/", map[string]any{
		"client_key": clientKey, "redirect_uri": redirectURI,
	}))
}

// beginLinking begins a login that adds an identity to the user of a token.
func (s *site) beginLinking(t *testing.T, headers ...string) answer {
	t.Helper()
	return s.post(t, "/social/authorize/idp/", map[string]any{
		"client_key": clientKey, "redirect_uri": redirectURI, "link": true,
	}, headers...)
}

// authorizeLinking is authorize for a login that adds an identity.
func (s *site) authorizeLinking(t *testing.T, idp browser, token string) flow {
	t.Helper()
	return s.follow(t, idp, s.beginLinking(t, "Authorization", "Token "+token))
}

// follow completes a login that was begun at the edge.
func (s *site) follow(t *testing.T, idp browser, begun answer) flow {
	t.Helper()
	begun.must(t, http.StatusOK)
	f := flow{url: begun.text(t, "url"), state: begun.text(t, "state")}
	back := idp.Browse(t, f.url, redirectURI)
	if back.Get("state") != f.state {
		t.Errorf("came back with state %q, want %q", back.Get("state"), f.state)
	}
	f.code, f.issuer = back.Get("code"), back.Get("iss")
	s.secrets.Add("state", f.state)
	s.secrets.Add("authorization code", f.code)
	return f
}

// redeem is the login call; changes replace or, with nil, remove members.
func (s *site) redeem(t testing.TB, f flow, changes map[string]any, headers ...string) answer {
	t.Helper()
	body := map[string]any{
		"provider": "idp", "code": f.code, "state": f.state,
		"client_key": clientKey, "redirect_uri": redirectURI,
	}
	for name, value := range changes {
		body[name] = value
		if value == nil {
			delete(body, name)
		}
	}
	return s.post(t, "/social/login/", body, headers...)
}

// own begins a login as a frontend that keeps verifier and nonce itself.
func (s *site) own(t *testing.T, idp *openid.Provider) (f flow, verifier, nonce string) {
	t.Helper()
	verifier, nonce = rand.Text()+rand.Text(), rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	f.state = "state-of-the-frontend"
	f.url = idp.Issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {oidcClientID}, "redirect_uri": {redirectURI},
		"scope": {"openid email profile"}, "state": {f.state}, "nonce": {nonce},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode()
	f.code = idp.Browse(t, f.url, redirectURI).Get("code")
	s.secrets.Add("authorization code", f.code)
	s.secrets.Add("verifier", verifier)
	return f, verifier, nonce
}

func TestSocialLogin(t *testing.T) {
	t.Parallel()
	for name, inIDToken := range map[string]bool{"claims at userinfo": false, "claims in the ID token": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, idp := socialSite(t, openid.Options{ClaimsInIDToken: inIDToken})
			idp.SignIn(openid.Person{
				Subject: "s-1", Email: "ann@example.com", EmailVerified: true,
				GivenName: "Ann", LastName: "Lee", Nickname: "annlee",
			})
			s.secrets.Add("e-mail address", "ann@example.com")
			f := s.authorize(t, idp)
			checkAuthorizeURL(t, f, idp)
			first := s.loggedIn(t, s.redeem(t, f, nil))
			want := map[string]any{
				"email": "ann@example.com", "email_verified": true, "is_new": true,
				"first_name": "Ann", "last_name": "Lee", "username": "annlee",
			}
			for member, value := range want {
				if first.user[member] != value {
					t.Errorf("%s is %v, want %v", member, first.user[member], value)
				}
			}
			// As satellizer and vue-authenticate write it; the path wins.
			f = s.authorize(t, idp)
			again := s.loggedIn(t, s.post(t, "/social/login/idp/", map[string]any{
				"provider": "another", "code": f.code, "state": f.state, "clientId": oidcClientID,
				"client_key": clientKey, "redirectUri": redirectURI,
			}))
			if again.isNew || again.id != first.id {
				t.Errorf("the second login is %v, after %v", again.user, first.user)
			}
			s.get(t, "/whoami", again.token).must(t, http.StatusOK)
			if !inIDToken && idp.Calls("/userinfo") < 2 {
				t.Error("the e-mail address came from elsewhere than userinfo")
			}
		})
	}
}

func checkAuthorizeURL(t *testing.T, f flow, idp *openid.Provider) {
	t.Helper()
	address, err := url.Parse(f.url)
	if err != nil || !strings.HasPrefix(f.url, idp.Issuer+"/authorize?") {
		t.Fatalf("the authorize URL is %q", f.url)
	}
	query := address.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": oidcClientID, "redirect_uri": redirectURI,
		"state": f.state, "code_challenge_method": "S256",
	} {
		if got := query[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if scopes := strings.Fields(query.Get("scope")); !slices.Contains(scopes, "openid") || !slices.Contains(scopes, "email") {
		t.Errorf("the scopes are %q", scopes)
	}
	for _, name := range []string{"nonce", "code_challenge", "state"} {
		if len(query.Get(name)) < 22 {
			t.Errorf("%s is %q, too short for 128 bits", name, query.Get(name))
		}
	}
	if strings.Contains(f.url, oidcClientSecret) {
		t.Error("the URL holds the client secret")
	}
}

func TestSocialRefusals(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{})
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true})
	s.secrets.Add("e-mail address", "ann@example.com")

	t.Run("a code is good once", func(t *testing.T) {
		f, verifier, nonce := s.own(t, idp)
		proof := map[string]any{"code_verifier": verifier, "nonce": nonce}
		s.loggedIn(t, s.redeem(t, f, proof))
		s.redeem(t, f, proof).refused(t, http.StatusBadRequest, "provider_denied")
	})
	t.Run("a state is good once", func(t *testing.T) {
		f := s.authorize(t, idp)
		s.loggedIn(t, s.redeem(t, f, nil))
		s.redeem(t, f, nil).refused(t, http.StatusBadRequest, "invalid_state")
		s.redeem(t, f, map[string]any{"state": nil}).refused(t, http.StatusBadRequest, "provider_denied")
	})
	t.Run("a wrong verifier", func(t *testing.T) {
		f, _, nonce := s.own(t, idp)
		s.redeem(t, f, map[string]any{"code_verifier": rand.Text() + rand.Text(), "nonce": nonce}).
			refused(t, http.StatusBadRequest, "provider_denied")
	})
	t.Run("no verifier", func(t *testing.T) {
		// This provider says invalid_request, as if the edge were at fault.
		f, _, nonce := s.own(t, idp)
		if got := s.redeem(t, f, map[string]any{"nonce": nonce}); got.status != http.StatusBadRequest && got.status != http.StatusBadGateway {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("a wrong nonce", func(t *testing.T) {
		f, verifier, _ := s.own(t, idp)
		s.redeem(t, f, map[string]any{"code_verifier": verifier, "nonce": "another"}).
			refused(t, http.StatusBadRequest, "provider_mismatch")
	})
	t.Run("a code for another browser", func(t *testing.T) {
		// The victim's state with the attacker's code: login CSRF (RFC 6749,
		// section 10.12). The verifiers differ, so the provider refuses it.
		victim, attacker := s.authorize(t, idp), s.authorize(t, idp)
		s.redeem(t, flow{state: victim.state, code: attacker.code}, nil).
			refused(t, http.StatusBadRequest, "provider_denied")
	})
	t.Run("a redirect URI that is not on the list", func(t *testing.T) {
		f := s.authorize(t, idp)
		for _, uri := range []string{
			redirectURI + "/", redirectURI + "?x=1", strings.ToUpper(redirectURI), "https://evil.test/auth/callback",
			strings.Replace(redirectURI, "frontend.test", "frontend.test@evil.test", 1), redirectURI + "#x",
		} {
			got := s.redeem(t, f, map[string]any{"redirect_uri": uri})
			if got.status != http.StatusBadRequest || got.body != `{"redirect_uri":["Not allowed for this client."]}` {
				t.Errorf("the redirect URI %s = %d %s, want 400", uri, got.status, got.body)
			}
		}
		s.loggedIn(t, s.redeem(t, f, nil))
	})
	t.Run("another redirect URI than at the beginning", func(t *testing.T) {
		f, verifier, nonce := s.own(t, idp)
		s.redeem(t, f, map[string]any{"code_verifier": verifier, "nonce": nonce, "redirect_uri": redirectURI + "/other"}).
			refused(t, http.StatusBadRequest, "provider_denied")
		f = s.authorize(t, idp)
		s.redeem(t, f, map[string]any{"redirect_uri": redirectURI + "/other"}).
			refused(t, http.StatusBadRequest, "invalid_state")
	})
	t.Run("a state that was made up", func(t *testing.T) {
		f := s.authorize(t, idp)
		s.redeem(t, f, map[string]any{"state": "ea." + rand.Text()}).refused(t, http.StatusBadRequest, "invalid_state")
	})
	t.Run("a wrong client key spends nothing", func(t *testing.T) {
		f := s.authorize(t, idp)
		got := s.redeem(t, f, map[string]any{"client_key": "x"})
		if got.status != http.StatusBadRequest || got.body != `{"client_key":["Invalid client key."]}` {
			t.Errorf("got %d %s", got.status, got.body)
		}
		s.loggedIn(t, s.redeem(t, f, nil))
	})
}

// TestForgedAnswers checks answers of the provider that are about another login or
// another user.
func TestForgedAnswers(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{})
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true})

	idp.ForgeNonce("of-another-login")
	s.redeem(t, s.authorize(t, idp), nil).refused(t, http.StatusBadRequest, "provider_mismatch")
	idp.ForgeNonce("")

	// OpenID Connect Core 1.0, section 5.3.2: the subjects must be the same.
	idp.AlterUserInfo(func(claims map[string]any) { claims["sub"] = "s-2" })
	if got := s.redeem(t, s.authorize(t, idp), nil); got.status != http.StatusBadRequest && got.status != http.StatusBadGateway {
		t.Errorf("userinfo of another user: %d %s", got.status, got.body)
	}
	idp.AlterUserInfo(func(claims map[string]any) { claims["email_verified"] = "false" })
	if got := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil)); got.user["email_verified"] != false {
		t.Errorf(`"false" was taken for true: %v`, got.user)
	}
}
