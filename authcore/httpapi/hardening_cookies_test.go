package httpapi_test

import (
	"net/http"
	"testing"
)

// Pages of other sites, of other hosts of the same domain and of the clients' origins use
// the cookie of a visitor to change or read the account, or sign the visitor in to an
// account of the attacker (CWE-352).
func TestHardeningCookieOfAnotherSite(t *testing.T) {
	p := newPage(t)
	p.signIn("ada@example.com")
	_, code, requestID := p.request("eve@example.com")
	for _, from := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", origin}, // a client's
		{"Sec-Fetch-Site", "same-site", "Origin", "https://other.example.com"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "null"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"},
	} {
		p.headers = from
		for _, request := range [][3]string{
			{http.MethodGet, "/user/", ""},
			{http.MethodGet, "/session/", ""},
			{http.MethodGet, "/user/export/", ""},
			{http.MethodPatch, "/user/", `{"first_name":"Eve"}`},
			{http.MethodDelete, "/user/", ""},
			{http.MethodPost, "/logout/", `{"everywhere":true}`},
			{http.MethodPost, "/token/refresh/", ""},
			{http.MethodPost, "/social/authorize/", `{"provider":"github","link":true}`},
			{http.MethodPost, "/by-link/login/", `{"request_id":"` + requestID + `","code":"` + code + `"}`},
		} {
			before := p.cookies[sessionKey].Value
			r := p.fetch(request[0], request[1], request[2])
			if r.StatusCode != http.StatusForbidden || p.cookies[sessionKey].Value != before {
				t.Errorf("%s %s from %v = %d %s, want 403", request[0], request[1], from, r.StatusCode, r.body)
			}
			if credentials := r.Header.Get("Access-Control-Allow-Credentials"); credentials != "" {
				t.Errorf("%s %s from %v: Access-Control-Allow-Credentials = %q, want none", request[0], request[1], from, credentials)
			}
		}
	}
	p.headers = []string{"Sec-Fetch-Site", "same-origin"}
	p.fetch(http.MethodGet, "/user/", "").must(t, http.StatusOK)
}
