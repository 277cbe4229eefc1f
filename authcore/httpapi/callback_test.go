package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/realm"
)

const (
	callbackPath = "/social/callback/google-oauth2/"
	browser      = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
)

// postingWorld has a form_post provider.
func postingWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(cfg *realm.Config) { cfg.APIURL = "https://api.test/v1/auth/" })
	w.provider.posts = true
	return w
}

func (w *world) begin() (state string) {
	w.t.Helper()
	var begun struct{ URL, State string }
	w.post("/social/authorize/google-oauth2/", `{"client_key":"`+webKey+`"}`).decode(w.t, &begun)
	if begun.State == "" || !strings.Contains(begun.URL, "redirect_uri=https://api.test/v1/auth/social/callback/google-oauth2/&") {
		w.t.Fatalf("began with %+v", begun)
	}
	return begun.State
}

// comeBack sends a browser to the callback as a provider does, from its own site.
func (w *world) comeBack(method string, values url.Values, headers ...string) response {
	w.t.Helper()
	headers = append(headers, "Accept", browser, "Origin", "https://provider.test", "Sec-Fetch-Site", "cross-site")
	if method == http.MethodPost {
		return w.call(method, callbackPath, values.Encode(), append(headers, "Content-Type", formType)...)
	}
	return w.call(method, callbackPath+"?"+values.Encode(), "", headers...)
}

func TestCallback(t *testing.T) {
	w := postingWorld(t)
	for _, method := range []string{"POST", "GET", "HEAD"} {
		state := w.begin()
		answer := url.Values{"state": {state}, "code": {goodCode}, "iss": {"https://provider.test"}, "user": {`{"name":{"firstName":"Ada"}}`}, "id_token": {"x"}, "scope": {""}}
		r := w.comeBack(method, answer)
		want := callback + "?code=good-code&iss=https%3A%2F%2Fprovider.test&state=" + state
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != want || r.body != "" {
			t.Fatalf("%s: got %d to %q %s", method, r.StatusCode, r.Header.Get("Location"), r.body)
		}
		r.expectHeader(t, "Cache-Control", "no-store")
		r.expectHeader(t, "Referrer-Policy", "no-referrer")
		r.expectHeader(t, "Access-Control-Allow-Origin", "")
		r.expectHeader(t, "Set-Cookie", "")
		r = w.post("/social/login/google-oauth2/",
			`{"code":"good-code","client_key":"`+webKey+`","state":"`+state+`","iss":"https://provider.test"}`)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: login: %d %s", method, r.StatusCode, r.body)
		}
		asked := w.provider.requests()
		last := asked[len(asked)-1]
		user := ""
		if method == "POST" {
			user = `{"name":{"firstName":"Ada"}}`
		}
		if last.User != user || last.RedirectURI != "https://api.test/v1/auth/social/callback/google-oauth2/" || last.Issuer != "https://provider.test" {
			t.Errorf("%s: the provider was asked %+v", method, last)
		}
	}
}

func TestCallbackFailures(t *testing.T) {
	w := postingWorld(t)
	const notOurs = `{"detail":"This sign-in has expired or was started elsewhere. Please try again.","code":"invalid_state"}`
	for name, answer := range map[string]url.Values{
		"nothing":         {},
		"no state":        {"code": {"c"}},
		"unknown state":   {"code": {"c"}, "state": {"ea.x"}},
		"foreign state":   {"code": {"c"}, "state": {"https://evil.test/"}},
		"own redirect":    {"code": {"c"}, "state": {"ea.x"}, "redirect_uri": {"https://evil.test/"}},
		"an error":        {"error": {"access_denied"}, "state": {"ea.x"}},
		"blank as it is":  {"code": {""}, "state": {""}, "error": {""}},
		"not UTF-8":       {"code": {"\xff"}, "state": {"ea.x"}},
		"control":         {"code": {"a\r\nLocation: x"}, "state": {"ea.x"}},
		"markup in state": {"code": {"c"}, "state": {"<script>alert(1)</script>"}},
	} {
		for _, method := range []string{"GET", "POST"} {
			r := w.comeBack(method, answer)
			if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || !strings.HasPrefix(r.body, "<!doctype html>") ||
				strings.Contains(r.body, "script") || strings.Contains(r.body, "evil") {
				t.Errorf("%s %s: got %d %q %s", method, name, r.StatusCode, r.Header.Get("Location"), r.body)
			}
			r.expectHeader(t, "Content-Type", "text/html; charset=utf-8")
			r.expectHeader(t, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		}
	}
	// Programs get JSON as everywhere.
	w.call("GET", callbackPath+"?code=c&state=ea.x", "").expect(t, 400, notOurs)
	w.call("GET", "/social/callback/unknown/?code=c&state=ea.x", "").expect(t, 400, notOurs)
	w.call("POST", callbackPath, "[]", "Content-Type", "application/json").expect(t, 400, `{"detail":"Expected a JSON object."}`)
	w.call("POST", callbackPath, "x", "Content-Type", "text/plain").expect(t, 415, `{"detail":"Unsupported media type \"text/plain\" in request."}`)
	w.call("PUT", callbackPath, "").expect(t, 405, `{"detail":"Method \"PUT\" not allowed."}`)
	w.call("GET", "/social/callback/", "").expect(t, 404, `{"detail":"Not found."}`)
	if text := w.logs.String(); strings.Contains(text, "evil") || strings.Contains(text, "ea.x") {
		t.Errorf("the log contains a part of the request: %s", text)
	}
}

func TestCallbackStoreDown(t *testing.T) {
	w := postingWorld(t)
	state := w.begin()
	w.store.broken.Store(true)
	r := w.comeBack("POST", url.Values{"state": {state}, "code": {goodCode}})
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || !strings.Contains(r.body, "temporarily unavailable") {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	w.store.broken.Store(false)
	if r := w.comeBack("POST", url.Values{"state": {state}, "code": {goodCode}}); r.StatusCode != http.StatusSeeOther {
		t.Errorf("afterwards: %d %s", r.StatusCode, r.body)
	}
}

func TestProviderListReportsFormPost(t *testing.T) {
	w := postingWorld(t)
	w.call("GET", "/social/providers/?client_key="+manyKey, "").expect(t, 200, `[{"name":"google-oauth2","client_id":"id-of-google-oauth2",`+
		`"authorize_url":"https://provider.test/auth?a=1&b=2","scope":"openid email","response_type":"code","response_mode":"form_post"}]`)
}

// Only the state of a login that began here leads to a redirect, to the page of its
// client.
func FuzzCallback(f *testing.F) {
	for _, seed := range []string{"", "state=ea.x&code=c", "state=%00&code=%ff", "state=ea.&error=x&iss=//evil.test", "code=a&code=b&state=ea.x;y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := postingWorld(t)
		state := w.begin()
		r := w.call("POST", callbackPath, query, "Content-Type", formType)
		if r.StatusCode >= 500 || r.Header.Get("Location") != "" {
			t.Errorf("%q: got %d to %q", query, r.StatusCode, r.Header.Get("Location"))
		}
		r = w.call("POST", callbackPath, query+"&state="+state+"&code=c", "Content-Type", formType)
		if target := r.Header.Get("Location"); r.StatusCode == http.StatusSeeOther && !strings.HasPrefix(target, callback+"?") || r.StatusCode >= 500 {
			t.Errorf("%q: got %d to %q", query, r.StatusCode, target)
		}
	})
}
