package httpapi_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func TestSocialLogin(t *testing.T) {
	shape := regexp.MustCompile(`^\{"id":"[0-9a-f-]{36}","token":"[^"]+","username":"ada","first_name":"Ada","last_name":"Lovelace",` +
		`"email":"ada@example\.com","email_verified":true,"avatar_url":"https://img\.test/a\?x=1&y=2","is_new":(true|false),"expires_at":"2026-01-16T03:04:05Z"\}$`)
	w := newWorld(t)
	calls := []struct{ path, contentType, body string }{
		{"/social/login/", "application/json", `{"provider":"google-oauth2","code":"good-code","client_key":"` + webKey + `","redirect_uri":"` + callback + `"}`},
		{"/social/login/google-oauth2/", "application/json", `{"code":"good-code","client_key":"` + webKey + `","redirect_uri":"` + callback + `"}`},
		{"/social/login/google-oauth2", "application/json;charset=UTF-8", `{"code":"good-code","client_key":"` + webKey + `","redirectUri":"` + callback + `","clientId":"x","state":"of-the-frontend"}`},
		{"/social/login/google-oauth2/", "application/json", `{"provider":"github","code":"good-code","client_key":"` + webKey + `"}`},
		{"/social/login/google-oauth2/", "application/json", `{"provider":[],"code":"good-code","client_key":"` + webKey + `"}`},
		{
			"/social/login", "application/x-www-form-urlencoded",
			url.Values{"provider": {"google-oauth2"}, "code": {goodCode}, "client_key": {webKey}, "redirect_uri": {callback}}.Encode(),
		},
		{
			"/social/login/google-oauth2/", "multipart/form-data; boundary=XX",
			"--XX\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\ngood-code\r\n" +
				"--XX\r\nContent-Disposition: form-data; name=\"client_key\"\r\n\r\n" + webKey + "\r\n--XX--\r\n",
		},
	}
	for i, call := range calls {
		r := w.call("POST", call.path, call.body, "Content-Type", call.contentType, "Authorization", "Token dead")
		match := shape.FindStringSubmatch(r.body)
		if r.StatusCode != http.StatusOK || match == nil || (match[1] == "true") != (i == 0) {
			t.Errorf("%s %s %s: got %d %s", call.path, call.contentType, call.body, r.StatusCode, r.body)
		}
	}
	for _, asked := range w.provider.requests() {
		if want := (authcore.ExchangeRequest{Code: goodCode, RedirectURI: callback}); asked != want {
			t.Errorf("the provider was asked %+v, want %+v", asked, want)
		}
	}
}

// A text that the provider does not report is "", never null.
func TestSocialLoginWithoutProfile(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "1"}
	r := w.post("/social/login/google-oauth2/", `{"code":"good-code","client_key":"`+webKey+`"}`)
	want := `"username":"","first_name":"","last_name":"","email":"","email_verified":false,"avatar_url":"","is_new":true,`
	if r.StatusCode != http.StatusOK || !strings.Contains(r.body, want) {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
}

func TestSocialLoginFailures(t *testing.T) {
	const notFound = `{"detail":"Not found."}`
	const notAllowed = `{"redirect_uri":["Not allowed for this client."]}`
	key := `"client_key":"` + webKey + `"`
	tests := []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"no provider", "/social/login/", `{"code":"good-code",` + key + `}`, 400, `{"provider":["This field is required."]}`},
		{"unknown provider", "/social/login/unknown/", `{"code":"good-code",` + key + `}`, 404, notFound},
		{"unknown provider in the body", "/social/login/", `{"provider":"unknown","code":"good-code",` + key + `}`, 404, notFound},
		{"another case", "/social/login/Google-OAuth2/", `{"code":"good-code",` + key + `}`, 404, notFound},
		{"the URL wins", "/social/login/unknown/", `{"provider":"google-oauth2","code":"good-code",` + key + `}`, 404, notFound},
		{"not this client's", "/social/login/github/", `{"code":"good-code","client_key":"` + manyKey + `","redirect_uri":"` + callback + `"}`, 404, notFound},
		{"field before client", "/social/login/unknown/", `{"client_key":"x"}`, 400, `{"code":["This field is required."]}`},
		{"client before provider", "/social/login/unknown/", `{"code":"c","client_key":"x"}`, 400, `{"client_key":["Invalid client key."]}`},
		{"provider before redirect URI", "/social/login/unknown/", `{"code":"c",` + key + `,"redirect_uri":"https://evil.test/"}`, 404, notFound},
		{"foreign redirect URI", "/social/login/google-oauth2/", `{"code":"c",` + key + `,"redirect_uri":"https://evil.test/"}`, 400, notAllowed},
		{"foreign redirect URI, other spelling", "/social/login/google-oauth2/", `{"code":"c",` + key + `,"redirectUri":"https://evil.test/"}`, 400, notAllowed},
		{"blank redirect URI", "/social/login/google-oauth2/", `{"code":"c",` + key + `,"redirectUri":""}`, 400, `{"redirect_uri":["This field may not be blank."]}`},
		{"several to choose from", "/social/login/google-oauth2/", `{"code":"c","client_key":"` + manyKey + `"}`, 400, `{"redirect_uri":["This field is required."]}`},
		{"the provider said no", "/social/login/google-oauth2/", `{"error":"access_denied",` + key + `}`, 400, `{"code":["This field is required."]}`},
		{
			"code refused", "/social/login/google-oauth2/", `{"code":"bad",` + key + `}`, 400,
			`{"detail":"The provider did not accept this login. Please try again.","code":"provider_denied"}`,
		},
		{
			"unknown state", "/social/login/google-oauth2/", `{"code":"good-code","state":"ea.unknown",` + key + `}`, 400,
			`{"detail":"This sign-in has expired or was started elsewhere. Please try again.","code":"invalid_state"}`,
		},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.post(test.path, test.body).expect(t, test.status, test.want)
		})
	}
}

// Nothing that the provider sent appears in an answer.
func TestProviderFailures(t *testing.T) {
	tests := []struct {
		fail   error
		status int
		want   string
	}{
		{authcore.ErrProviderDenied, 400, `{"detail":"The provider did not accept this login. Please try again.","code":"provider_denied"}`},
		{authcore.ErrProviderMismatch, 400, `{"detail":"The provider's response does not belong to this login. Please try again.","code":"provider_mismatch"}`},
		{authcore.ErrProviderTimeout, 504, `{"detail":"The provider did not answer in time.","code":"provider_timeout"}`},
		{authcore.ErrProviderFailed, 502, `{"detail":"The provider could not be reached or gave no usable answer.","code":"provider_unavailable"}`},
		{errors.New("dial tcp 10.0.0.7: refused"), 502, `{"detail":"The provider could not be reached or gave no usable answer.","code":"provider_unavailable"}`},
	}
	w := newWorld(t)
	for _, test := range tests {
		w.provider.set(func(p *fakeProvider) { p.fail = errors.Join(test.fail, errors.New("from host.internal")) })
		w.post("/social/login/google-oauth2/", `{"code":"good-code","client_key":"`+webKey+`"}`).expect(t, test.status, test.want)
	}
}

func TestEmailTaken(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) { cfg.Rules.LinkByEmail = account.LinkByEmailNever })
	w.login("ada@example.com")
	w.provider.profile = authcore.Profile{Subject: "2", Email: "ada@example.com", EmailVerified: true}
	w.post("/social/login/google-oauth2/", `{"code":"good-code","client_key":"`+webKey+`"}`).expect(
		t, 409,
		`{"detail":"An account with this e-mail address exists already. Log in by link, then add this login to it.","code":"email_taken"}`,
	)
}

func TestProviderList(t *testing.T) {
	w := newWorld(t)
	const (
		github = `{"name":"github","client_id":"id-of-github","authorize_url":"https://provider.test/auth?a=1&b=2","scope":"openid email","response_type":"code"}`
		google = `{"name":"google-oauth2","client_id":"id-of-google-oauth2","authorize_url":"https://provider.test/auth?a=1&b=2","scope":"openid email","response_type":"code"}`
	)
	w.call("GET", "/social/providers/?client_key="+webKey, "").expect(t, 200, "["+github+","+google+"]")
	w.call("GET", "/social/providers?client_key="+manyKey, "").expect(t, 200, "["+google+"]")
	w.call("GET", "/social/providers/", "").expect(t, 400, `{"client_key":["This field is required."]}`)
	w.call("GET", "/social/providers/?client_key=", "").expect(t, 400, `{"client_key":["This field may not be blank."]}`)
	w.call("GET", "/social/providers/?client_key=%ff", "").expect(t, 400, `{"client_key":["Not a valid string."]}`)
	w.call("GET", "/social/providers/?client_key=x", "").expect(t, 400, `{"client_key":["Invalid client key."]}`)

	none := newWorld(t, func(cfg *realm.Config) { cfg.Providers = nil })
	none.call("GET", "/social/providers/?client_key="+webKey, "").expect(t, 200, "[]")
}

func TestAuthorize(t *testing.T) {
	w := newWorld(t)
	for _, call := range []struct{ path, body string }{
		{"/social/authorize/google-oauth2/", `{"client_key":"` + webKey + `","redirect_uri":"` + callback + `"}`},
		{"/social/authorize/", `{"provider":"google-oauth2","client_key":"` + webKey + `"}`},
	} {
		var begun struct{ URL, State string }
		r := w.post(call.path, call.body)
		r.decode(t, &begun)
		parsed, err := url.Parse(begun.URL)
		if err != nil {
			t.Fatal(err)
		}
		query := parsed.Query()
		if r.StatusCode != http.StatusOK || begun.State == "" || query.Get("state") != begun.State ||
			query.Get("code_challenge_method") != "S256" || query.Get("nonce") == "" || strings.Contains(r.body, `\u0026`) {
			t.Errorf("got %d %s", r.StatusCode, r.body)
		}
		login := `{"code":"good-code","client_key":"` + webKey + `","state":"` + begun.State + `"}`
		if r := w.post("/social/login/google-oauth2/", login); r.StatusCode != http.StatusOK {
			t.Errorf("login: %d %s", r.StatusCode, r.body)
		}
		asked := w.provider.requests()
		if last := asked[len(asked)-1]; last.Nonce != query.Get("nonce") || last.Verifier == "" {
			t.Errorf("the provider was asked %+v", last)
		}
		if r := w.post("/social/login/google-oauth2/", login); !strings.Contains(r.body, `"code":"invalid_state"`) {
			t.Errorf("the state worked twice: %d %s", r.StatusCode, r.body)
		}
	}
	w.post("/social/authorize/unknown/", `{"client_key":"`+webKey+`"}`).expect(t, 404, `{"detail":"Not found."}`)
	w.post("/social/authorize/", `{}`).
		expect(t, 400, `{"client_key":["This field is required."],"provider":["This field is required."]}`)
	w.post("/social/authorize/google-oauth2/", `{"client_key":"`+webKey+`","redirect_uri":"https://frontend.app"}`).
		expect(t, 400, `{"redirect_uri":["Not allowed for this client."]}`)
}

// A frontend that keeps verifier and nonce itself sends them.
func TestOwnVerifierAndNonce(t *testing.T) {
	w := newWorld(t)
	r := w.post("/social/login/google-oauth2/",
		`{"code":"good-code","client_key":"`+webKey+`","code_verifier":"v","nonce":"n","state":"mine"}`)
	want := authcore.ExchangeRequest{Code: goodCode, RedirectURI: callback, Verifier: "v", Nonce: "n"}
	if asked := w.provider.requests(); r.StatusCode != http.StatusOK || len(asked) != 1 || asked[0] != want {
		t.Errorf("got %d %s, asked %+v", r.StatusCode, r.body, asked)
	}
}

func TestLinkingAnIdentity(t *testing.T) {
	w := newWorld(t)
	grace := w.login("grace@example.com")
	state := ""
	body := func(link string) string {
		return `{"code":"good-code","client_key":"` + webKey + `"` + state + `,"link":` + link + `}`
	}
	const path = "/social/login/google-oauth2/"
	w.post(path, body("true")).expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	r := w.post(path, body("true"), "Authorization", "Token dead")
	r.expect(t, 401, `{"detail":"Invalid token."}`)
	r.expectHeader(t, "WWW-Authenticate", "Token")
	w.post(path, body(`"maybe"`)).expect(t, 400, `{"link":["Must be a valid boolean."]}`)
	w.post(path, body("null")).expect(t, 400, `{"link":["This field may not be null."]}`)
	if asked := w.provider.requests(); len(asked) != 0 {
		t.Errorf("a code was spent: %+v", asked)
	}

	const notOurs = `{"detail":"This sign-in has expired or was started elsewhere. Please try again.","code":"invalid_state"}`
	w.post(path, body("true"), grace.authorization()...).expect(t, 400, notOurs)
	w.post("/social/authorize/google-oauth2/", `{"client_key":"`+webKey+`","link":true}`).
		expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	state = `,"state":"` + w.beginLink("google-oauth2", grace) + `"`
	w.post(path, body("false"), grace.authorization()...).expect(t, 400, notOurs)
	w.post(path, body("true"), w.login("eve@example.com").authorization()...).expect(t, 400, notOurs)
	var linked loggedIn
	r = w.post(path, body("true"), grace.authorization()...)
	r.decode(t, &linked)
	if r.StatusCode != http.StatusOK || linked.ID != grace.ID || linked.Email != "grace@example.com" {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	eve := w.login("eve@example.com")
	state = `,"state":"` + w.beginLink("google-oauth2", eve) + `"`
	w.post(path, body("true"), eve.authorization()...).
		expect(t, 409, `{"detail":"This login already belongs to another account.","code":"identity_taken"}`)
	w.advance(16 * time.Minute)
	const reauthenticate = `{"detail":"Log in again to add a login to your account.","code":"reauthentication_required"}`
	w.post(path, body("true"), eve.authorization()...).expect(t, 403, reauthenticate)
	w.post("/social/authorize/google-oauth2/", `{"client_key":"`+webKey+`","link":true}`, eve.authorization()...).expect(t, 403, reauthenticate)
	state = ""
	for _, flag := range []string{"1", `"true"`} {
		if r := w.post(path, body(flag)); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("link %s: got %d %s", flag, r.StatusCode, r.body)
		}
	}
	for _, flag := range []string{"false", "0"} {
		r := w.post(path, body(flag), "Authorization", "Token dead")
		if r.StatusCode != http.StatusOK {
			t.Errorf("link %s: got %d %s", flag, r.StatusCode, r.body)
		}
	}
	form := url.Values{"code": {goodCode}, "client_key": {webKey}, "link": {"1"}}.Encode()
	w.call("POST", path, form, "Content-Type", "application/x-www-form-urlencoded").
		expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
}

// beginLink begins to add a login of the provider to an account, and returns the
// state.
func (w *world) beginLink(provider string, login loggedIn) string {
	w.t.Helper()
	var begun struct{ State string }
	r := w.post("/social/authorize/"+provider+"/", `{"client_key":"`+webKey+`","link":true}`, login.authorization()...)
	if r.StatusCode != http.StatusOK {
		w.t.Fatalf("POST /social/authorize/ = %d %s, want 200", r.StatusCode, r.body)
	}
	r.decode(w.t, &begun)
	return begun.State
}
