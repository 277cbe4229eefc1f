package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

// Envoy sends the method of the request that it asks about, and appends its path.
func TestVerifyAnyMethodAndPath(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	const absent = `{"detail":"Authentication credentials were not provided."}`
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		for _, path := range []string{"/verify", "/verify/", "/verify/app/page", "/verify//", "/verify/a%2fb", "/verify/%00", "/verify/user/"} {
			r := w.call(method, path, "", login.authorization()...)
			r.expect(t, 200, "")
			r.expectHeader(t, "Content-Length", "0")
			r.expectHeader(t, "X-Auth-User-Id", login.ID)
			refused := w.call(method, path, "")
			body := absent
			if method == http.MethodHead {
				body = ""
			}
			refused.expect(t, 401, body)
			refused.expectHeader(t, "WWW-Authenticate", "Token")
		}
	}
	r := w.call("OPTIONS", "/verify/app", "", "Origin", origin, "Access-Control-Request-Method", "PUT")
	r.expect(t, http.StatusNoContent, "")
	r.expectHeader(t, "Access-Control-Allow-Origin", origin)
	w.call("OPTIONS", "/verify/app", "", "Origin", "https://evil.test", "Access-Control-Request-Method", "PUT").expect(t, 401, absent)
	w.call("GET", "/verifyx", "").expect(t, 404, `{"detail":"Not found."}`)
}

// The path below /verify/ is the attacker's. It must not lead to a route that answers
// 200 without a token, which a proxy takes for a permission (CWE-22).
func TestHardeningVerifyIsNotLeft(t *testing.T) {
	w := newWorld(t)
	handler := httpapi.New(httpapi.Options{Realm: w.realm})
	for _, path := range []string{
		"/v1/auth/verify/../.well-known/jwks.json",
		"/v1/auth/verify/..%2f.well-known/jwks.json",
		"/v1/auth/verify/%2e%2e/revocations/",
		"/v1/auth/verify/../../../.well-known/jwks.json",
		"/v1/auth/verify/x/../../social/providers/?client_key=" + webKey,
	} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusUnauthorized {
			t.Errorf("GET %s = %d %s, want 401", path, recorder.Code, recorder.Body)
		}
		if !handler.Owns(request.URL.Path) {
			t.Errorf("Owns(%s) = false, want true", request.URL.Path)
		}
	}
}

// An encoded slash is a character of a segment. A proxy in front that has rules for
// /by-link/login/ does not apply them to /by-link%2flogin/ (CWE-436).
func TestHardeningEncodedSlash(t *testing.T) {
	w := newWorld(t)
	token, _ := w.mail("ada@example.com")
	body := `{"token":"` + token + `","client_key":"` + webKey + `"}`
	for _, path := range []string{
		"/by-link%2flogin/", "/by-link%2Flogin/", "/by-link/login%2f", "%2fby-link/login/", "/x%2f../by-link/login/", "/./by-link%2flogin",
	} {
		w.call("POST", path, body, "Content-Type", jsonType).expect(t, 404, `{"detail":"Not found."}`)
	}
	if r := w.call("POST", "/by%2dlink/login/", body, "Content-Type", jsonType); r.StatusCode != http.StatusOK {
		t.Errorf("POST /by%%2dlink/login/ = %d %s, want 200", r.StatusCode, r.body)
	}
}
