package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/apple"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// idToken gets an ID token from the provider as a native application does.
func (s *site) idToken(t *testing.T, idp *openid.Provider) (token, nonce string) {
	t.Helper()
	f, verifier, nonce := s.own(t, idp)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, idp.Issuer+"/oauth/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(oidcClientID, oidcClientSecret)
	request.URL.RawQuery = url.Values{
		"grant_type": {"authorization_code"}, "code": {f.code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}.Encode()
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	token = answer{response.StatusCode, response.Header, string(body)}.must(t, http.StatusOK).text(t, "id_token")
	s.secrets.Add("ID token", token)
	return token, nonce
}

// TestIDTokens logs in as native apps and one-tap login do.
func TestIDTokens(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{ClaimsInIDToken: true})
	idp.SignIn(openid.Person{Subject: "s-1", Email: "ann@example.com", EmailVerified: true, GivenName: "Ann"})
	s.secrets.Add("e-mail address", "ann@example.com")
	login := func(token, nonce string) answer {
		return s.post(t, "/social/login/", map[string]any{"provider": "idp", "id_token": token, "nonce": nonce, "client_key": clientKey})
	}
	token, nonce := s.idToken(t, idp)
	login(token, "another").refused(t, http.StatusBadRequest, "provider_mismatch")
	s.post(t, "/social/login/idp/", map[string]any{"id_token": token, "client_key": clientKey}).
		refused(t, http.StatusBadRequest, "provider_mismatch")
	login(token[:len(token)-6]+"AAAAAA", nonce).refused(t, http.StatusBadRequest, "provider_mismatch")
	first := s.loggedIn(t, login(token, nonce))
	if first.user["email"] != "ann@example.com" || first.user["first_name"] != "Ann" || !first.isNew {
		t.Errorf("logged in as %v", first.user)
	}
	s.get(t, "/whoami", first.token).must(t, http.StatusOK)

	login(token, nonce).refused(t, http.StatusBadRequest, "id_token_used")
	s.Kill(t)
	s.Start(t)
	s.client.CloseIdleConnections()
	login(token, nonce).refused(t, http.StatusBadRequest, "id_token_used")

	byCode := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil))
	if byCode.id != first.id || byCode.isNew {
		t.Errorf("by code it is %v", byCode.user)
	}
	got := s.post(t, "/social/login/idp/", map[string]any{"id_token": token, "code": "c", "nonce": nonce, "client_key": clientKey})
	if got.status != http.StatusBadRequest || got.body != `{"code":["Not together with id_token."]}` {
		t.Errorf("both: %d %s", got.status, got.body)
	}
}

// TestAppleIDTokens sends tokens of an app that is on the list of audiences. The
// app passes the nonce to the SDK as a hash, and sends the name in the request.
func TestAppleIDTokens(t *testing.T) {
	t.Parallel()
	s, idp := appleSite(t, caddyfile{})
	login := func(audience, own, nonce string) answer {
		hash := sha256.Sum256([]byte(own))
		return s.post(t, "/social/login/apple-id/", map[string]any{
			"id_token": idp.IDToken(audience, hex.EncodeToString(hash[:])), "nonce": nonce, "client_key": clientKey,
			"user": `{"name":{"firstName":"Tim","lastName":"Appleby"}}`,
		})
	}
	login("com.example.ios", "nonce-of-the-app", "another-nonce").refused(t, http.StatusBadRequest, "provider_mismatch")
	login("com.example.other", "nonce-of-the-app", "nonce-of-the-app").refused(t, http.StatusBadRequest, "provider_mismatch")
	app := s.loggedIn(t, login("com.example.ios", "nonce-of-the-app", "nonce-of-the-app"))
	if app.user["first_name"] != "Tim" || app.user["email_verified"] != true {
		t.Errorf("logged in as %v", app.user)
	}
	login(apple.ClientID, "nonce-of-the-app", "nonce-of-the-app").refused(t, http.StatusBadRequest, "id_token_used")
	if web := s.loggedIn(t, login(apple.ClientID, "nonce-2-of-the-app", "nonce-2-of-the-app")); web.id != app.id {
		t.Errorf("the token of the web client logs in another user: %v", web.user)
	}
}

// TestIdentities lists and removes logins.
func TestIdentities(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{})
	list := func(token string) []any {
		t.Helper()
		got := s.get(t, "/v1/auth/identities/", token).must(t, http.StatusOK)
		var identities []any
		if err := json.Unmarshal([]byte(got.body), &identities); err != nil {
			t.Fatalf("%v in %s", err, got.body)
		}
		return identities
	}
	remove := func(id, token string) answer {
		return s.do(t, http.MethodDelete, "/v1/auth/identities/"+id+"/", "", "", "Authorization", "Token "+token)
	}
	idOf := func(identity any) string {
		id, _ := identity.(map[string]any)["id"].(string)
		return id
	}
	ann := s.logIn(t, "ann@example.com")
	if got := list(ann.token); len(got) != 0 {
		t.Errorf("the identities of a user by link = %v, want none", got)
	}
	idp.SignIn(openid.Person{Subject: "work-4711", Email: "ann@work.example"})
	s.secrets.Add("e-mail address", "ann@work.example")
	s.loggedIn(t, s.redeem(t, s.authorizeLinking(t, idp, ann.token), map[string]any{"link": true}, "Authorization", "Token "+ann.token))
	byProvider := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil))
	linked := list(ann.token)
	if len(linked) != 1 || byProvider.id != ann.id {
		t.Fatalf("ann has %v and logs in as %v", linked, byProvider.user)
	}

	idp.SignIn(openid.Person{Subject: "eve"})
	eve := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil))
	remove(idOf(linked[0]), eve.token).must(t, http.StatusNotFound)
	remove(idOf(list(eve.token)[0]), eve.token).refused(t, http.StatusConflict, "last_identity")

	remove(idOf(linked[0]), ann.token).must(t, http.StatusNoContent)
	s.get(t, "/whoami", byProvider.token).must(t, http.StatusUnauthorized)
	s.get(t, "/whoami", ann.token).must(t, http.StatusOK)
	s.Kill(t)
	s.Start(t)
	s.client.CloseIdleConnections()
	if left := list(ann.token); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	s.get(t, "/whoami", byProvider.token).must(t, http.StatusUnauthorized)
	idp.SignIn(openid.Person{Subject: "work-4711"})
	s.redeem(t, s.authorize(t, idp), nil).refused(t, http.StatusForbidden, "identity_unlinked")
	s.loggedIn(t, s.redeem(t, s.authorizeLinking(t, idp, ann.token), map[string]any{"link": true}, "Authorization", "Token "+ann.token))
	if again := s.loggedIn(t, s.redeem(t, s.authorize(t, idp), nil)); again.id != ann.id {
		t.Errorf("the login that was linked again logs in %v, want %s", again.user, ann.id)
	}
}
