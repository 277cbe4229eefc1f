package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

const (
	appOrigin  = "https://app.example.com"
	wikiOrigin = "https://wiki.example.com"
)

// browserHandler returns a handler for two sites with login pages.
func browserHandler(t *testing.T, w *world, trusted bool) *httpapi.Handler {
	t.Helper()
	var browsers []*gate.Browser
	for _, origin := range []string{appOrigin, wikiOrigin} {
		browser, err := gate.NewBrowser(gate.BrowserConfig{Origin: origin})
		if err != nil {
			t.Fatalf("gate.NewBrowser = %v", err)
		}
		browsers = append(browsers, browser)
	}
	return httpapi.New(httpapi.Options{
		Realm: w.realm, Browsers: browsers, TrustedProxy: func(*http.Request) bool { return trusted },
	})
}

func verifyWith(handler http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/v1/auth/verify"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

var navigation = []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"}

func TestVerifyBrowser(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	cookie := []string{"Cookie", "a=b; __Host-edgeauth=" + login.Token}
	traefik := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "app.example.com", "X-Forwarded-Uri", "/x?y=1"}
	with := func(lists ...[]string) (all []string) {
		for _, list := range lists {
			all = append(all, list...)
		}
		return all
	}
	const back = "/auth/?return_to="
	for name, test := range map[string]struct {
		trusted      bool
		method, path string
		headers      []string
		status       int
		location     string
	}{
		"cookie":                      {true, "GET", "/", with(cookie, traefik), 200, ""},
		"token":                       {true, "GET", "/", with(login.authorization(), traefik), 200, ""},
		"bad token, good cookie":      {true, "GET", "/", with(cookie, traefik, []string{"Authorization", "Token x"}), 401, ""},
		"script":                      {true, "GET", "/", with(traefik, []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}), 401, ""},
		"page":                        {true, "GET", "/", with(traefik, navigation), 303, appOrigin + back + "%2Fx%3Fy%3D1"},
		"page of another site":        {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "wiki.example.com:443", "X-Forwarded-Uri", "/"}), 303, wikiOrigin + back + "%2F"},
		"page of an unknown site":     {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Uri", "/x"}), 303, appOrigin + "/auth/"},
		"page, several proxies":       {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "wiki.example.com, proxy.internal", "X-Forwarded-Uri", "/x"}), 303, wikiOrigin + back + "%2Fx"},
		"page, an inner host first":   {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "proxy.internal,WIKI.example.com:443", "X-Forwarded-Uri", "/x"}), 303, wikiOrigin + back + "%2Fx"},
		"page, root of the DNS":       {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "wiki.example.com.", "X-Forwarded-Uri", "/x"}), 303, wikiOrigin + back + "%2Fx"},
		"page, another port":          {true, "GET", "/", with(navigation, []string{"X-Forwarded-Host", "wiki.example.com:8443", "X-Forwarded-Uri", "/x"}), 303, appOrigin + "/auth/"},
		"page, nginx, path only":      {true, "GET", "", with(navigation, []string{"X-Original-Url", "/x?y", "X-Forwarded-Host", "wiki.example.com"}), 401, wikiOrigin + back + "%2Fx%3Fy"},
		"page, nginx, ways out":       {true, "GET", "", with(navigation, []string{"X-Original-Url", "//evil.example/x", "X-Forwarded-Host", "wiki.example.com"}), 401, wikiOrigin + "/auth/"},
		"page, nginx, user":           {true, "GET", "", with(navigation, []string{"X-Original-Url", "https://wiki.example.com@evil.example/x"}), 401, appOrigin + "/auth/"},
		"page, no trust":              {false, "GET", "/", with(traefik, navigation), 303, appOrigin + "/auth/"},
		"page, ways out":              {true, "GET", "/", with(navigation, []string{"X-Forwarded-Uri", "//evil.example"}), 303, appOrigin + "/auth/"},
		"page, appended path":         {true, "GET", "/x/y?z=1", navigation, 303, appOrigin + back + "%2Fx%2Fy%3Fz%3D1"},
		"page, nginx":                 {true, "GET", "", with(navigation, []string{"X-Original-Url", wikiOrigin + "/x?y", "X-Original-Method", "GET"}), 401, wikiOrigin + back + "%2Fx%3Fy"},
		"form without a session":      {true, "GET", "/", with(navigation, []string{"X-Forwarded-Method", "POST"}), 401, ""},
		"form of the site":            {true, "GET", "/", with(cookie, []string{"X-Forwarded-Method", "POST", "Sec-Fetch-Site", "same-origin"}), 200, ""},
		"form of another site":        {true, "GET", "/", with(cookie, []string{"X-Forwarded-Method", "POST", "Sec-Fetch-Site", "cross-site"}), 403, ""},
		"form of another site, nginx": {true, "GET", "/", with(cookie, []string{"X-Original-Method", "POST", "Origin", "https://evil.example"}), 403, ""},
		"form of another site, Envoy": {true, "POST", "/x", with(cookie, []string{"Origin", "https://evil.example"}), 403, ""},
		"method hidden by the client": {true, "GET", "/", with(cookie, []string{"X-Forwarded-Method", "GET", "X-Original-Method", "POST", "Sec-Fetch-Site", "cross-site"}), 403, ""},
		"WebSocket of another site":   {true, "GET", "/", with(cookie, []string{"Upgrade", "websocket", "Origin", "https://evil.example"}), 403, ""},
	} {
		got := verifyWith(browserHandler(t, w, test.trusted), test.method, test.path, test.headers...)
		if location := got.Header().Get("Location"); got.Code != test.status || location != test.location {
			t.Errorf("%s: verify = %d to %q, want %d to %q", name, got.Code, location, test.status, test.location)
		}
		if id := got.Header().Get(gate.HeaderUserID); (got.Code == http.StatusOK) != (id == login.ID) {
			t.Errorf("%s: verify = %d with the user %q, want one only with 200", name, got.Code, id)
		}
	}
}

// A token older than half its life is renewed by the login page: proxies drop Set-Cookie
// of a 200.
func TestVerifyBrowserRenewal(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	claims, err := w.realm.Authenticate([]string{"Token " + login.Token})
	if err != nil {
		t.Fatalf("Authenticate = %v", err)
	}
	w.clock.Store((claims.IssuedAt+claims.ExpiresAt)/2 + 1)
	handler := browserHandler(t, w, true)
	headers := append([]string{"X-Forwarded-Uri", "/x", "Cookie", "__Host-edgeauth=" + login.Token}, navigation...)
	got := verifyWith(handler, "GET", "/", headers...)
	if want := appOrigin + "/auth/renew?return_to=%2Fx"; got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
		t.Errorf("verify = %d to %q, want 303 to %s", got.Code, got.Header().Get("Location"), want)
	}
	if got := verifyWith(handler, "GET", "/", append(headers, "Cookie", "__Host-edgeauth-renewed=1")...); got.Code != http.StatusOK {
		t.Errorf("verify after a renewal = %d, want 200", got.Code)
	}
}

// A client that claims to send a preflight gets no 2xx: proxies take it for a permission
// (CWE-863).
func TestHardeningVerifyPreflight(t *testing.T) {
	w := newWorld(t)
	handler := browserHandler(t, w, true)
	for _, name := range []string{"X-Forwarded-Method", "X-Original-Method"} {
		for _, from := range []string{origin, "https://evil.example"} {
			got := verifyWith(handler, "GET", "/", name, "OPTIONS", "Origin", from, "Access-Control-Request-Method", "PUT")
			if got.Code != http.StatusUnauthorized {
				t.Errorf("verify with %s: OPTIONS of %s = %d, want 401", name, from, got.Code)
			}
		}
	}
	got := verifyWith(handler, "OPTIONS", "/", "Origin", "https://evil.example", "Access-Control-Request-Method", "PUT")
	if got.Code != http.StatusUnauthorized {
		t.Errorf("verify of a preflight of another origin = %d, want 401", got.Code)
	}
}
