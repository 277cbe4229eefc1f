package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

func TestPreflight(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/by-link/login/", "/user", "/sessions/1/", "/unknown"} {
		r := w.call("OPTIONS", path, "", "Origin", origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
		r.expect(t, http.StatusNoContent, "")
		r.expectHeader(t, "Access-Control-Allow-Origin", origin)
		r.expectHeader(t, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
		r.expectHeader(t, "Access-Control-Allow-Headers", "authorization,content-type")
		r.expectHeader(t, "Access-Control-Max-Age", "600")
		r.expectHeader(t, "Access-Control-Allow-Credentials", "")
		r.expectHeader(t, "Vary", "Origin|Access-Control-Request-Method|Access-Control-Request-Headers")
	}
}

// Pages may send any header, but the list that they ask for is repeated only if it
// is a list of header names (CWE-113).
func TestPreflightHeaders(t *testing.T) {
	w := newWorld(t)
	for asked, want := range map[string]string{
		"":                          "Authorization, Content-Type",
		"x-request-id, x-csrf":      "x-request-id, x-csrf",
		"a: b":                      "Authorization, Content-Type",
		"\"quoted\"":                "Authorization, Content-Type",
		strings.Repeat("a,", 1_000): "Authorization, Content-Type",
	} {
		r := w.call("OPTIONS", "/user/", "", "Origin", origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", asked)
		r.expectHeader(t, "Access-Control-Allow-Headers", want)
	}
}

func TestAnswersToOrigins(t *testing.T) {
	w := newWorld(t)
	calls := []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/by-link/link/", `{"email":"ada@example.com"}`, 200},
		{"POST", "/by-link/link/", `{`, 400},
		{"GET", "/user/", "", 401},
		{"GET", "/by-link/link/", "", 405},
		{"GET", "/unknown", "", 404},
		{"OPTIONS", "/user/", "", 204},
	}
	for _, call := range calls {
		r := w.call(call.method, call.path, call.body, "Content-Type", jsonType, "Origin", origin)
		if r.StatusCode != call.status {
			t.Errorf("%s %s: got %d %s", call.method, call.path, r.StatusCode, r.body)
		}
		r.expectHeader(t, "Access-Control-Allow-Origin", origin)
		r.expectHeader(t, "Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
		r.expectHeader(t, "Vary", "Origin")
	}
	for _, stranger := range [][]string{
		nil,
		{"Origin", "https://evil.test"},
		{"Origin", "null"},
		{"Origin", origin + ".evil.test"},
		{"Origin", origin + "/"},
		{"Origin", "http://frontend.app"},
		{"Origin", strings.ToUpper(origin)},
		{"Origin", origin, "Origin", origin},
	} {
		for _, method := range []string{"OPTIONS", "GET"} {
			r := w.call(method, "/user/", "", append(stranger, "Access-Control-Request-Method", "GET")...)
			r.expectHeader(t, "Access-Control-Allow-Origin", "")
			r.expectHeader(t, "Access-Control-Allow-Methods", "")
			r.expectHeader(t, "Vary", "Origin")
		}
	}
}

func TestPreflightLeavesTheRestUntouched(t *testing.T) {
	always := func(string) bool { return true }
	never := func(string) bool { return false }
	tests := []struct {
		name, method string
		header       http.Header
		allow        func(string) bool
	}{
		{"another method", "GET", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET"}}, always},
		{"no origin", "OPTIONS", http.Header{"Access-Control-Request-Method": {"GET"}}, always},
		{"no method", "OPTIONS", http.Header{"Origin": {origin}}, always},
		{"two origins", "OPTIONS", http.Header{"Origin": {origin, origin}, "Access-Control-Request-Method": {"GET"}}, always},
		{"two methods", "OPTIONS", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET", "PUT"}}, always},
		{"stranger", "OPTIONS", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET"}}, never},
	}
	for _, test := range tests {
		r := httptest.NewRequest(test.method, "/", nil)
		r.Header = test.header
		w := httptest.NewRecorder()
		if httpapi.Preflight(w, r, test.allow) || len(w.Header()) > 0 {
			t.Errorf("%s: headers %v", test.name, w.Header())
		}
	}
}

func TestAllowOriginVariesOnce(t *testing.T) {
	header := http.Header{"Vary": {"Origin"}}
	if httpapi.AllowOrigin(header, httptest.NewRequest(http.MethodGet, "/", nil), func(string) bool { return true }) {
		t.Error("a request without an origin was allowed")
	}
	if got := header.Values("Vary"); len(got) != 1 {
		t.Errorf("Vary is %v", got)
	}
}

// What an earlier handler has set is kept.
func TestAllowOriginKeepsHeaders(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Origin", origin)
	header := http.Header{"Vary": {"Accept-Encoding, origin"}, "Access-Control-Allow-Origin": {"https://other.example"}}
	if !httpapi.AllowOrigin(header, r, func(string) bool { return true }) {
		t.Error("AllowOrigin() = false, want true")
	}
	if len(header) != 2 || header.Get("Vary") != "Accept-Encoding, origin" || header.Get("Access-Control-Allow-Origin") != "https://other.example" {
		t.Errorf("header = %v, want it unchanged", header)
	}
}
