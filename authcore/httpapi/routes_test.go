package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

func TestOwns(t *testing.T) {
	tests := []struct {
		prefix, path string
		want         bool
	}{
		{"", "/v1/auth", true},
		{"", "/v1/auth/", true},
		{"", "/v1/auth/user/", true},
		{"", "/v1/auth/anything/at/all", true},
		{"", "//v1//auth///user", true},
		{"", "/v1/./auth/user", true},
		{"", "/x/../v1/auth/user/", true},
		{"", "/../v1/auth", true},
		{"", "/.well-known/jwks.json", false},
		{"", "/v1/auth/.well-known/jwks.json", true},
		{"", "", false},
		{"", "*", false},
		{"", "/", false},
		{"", "/v1", false},
		{"", "/v1/authx", false},
		{"", "/v1/auth;x/user", false},
		{"", "/V1/Auth/user", false},
		{"", "/v1/auth/..", false},
		{"", "/v1/auth/../x", false},
		{"", "/v1/auth/user/../../x", false},
		{"", "/v1/auth/user/../../../.env", false},
		{"", "/x/v1/auth/user", false},
		{"", "/.well-known/other", false},
		{"", "/v1/auth\\..\\x", false},
		{"api", "/api/user", true},
		{"/api/", "/api", true},
		{"/api/", "/v1/auth", false},
		{"/", "/user", true},
		{"/", "/", true},
	}
	for _, test := range tests {
		h := httpapi.New(httpapi.Options{Prefix: test.prefix})
		if got := h.Owns(test.path); got != test.want {
			t.Errorf("prefix %q: Owns(%q) = %t", test.prefix, test.path, got)
		}
	}
}

func TestMethods(t *testing.T) {
	const user = "DELETE, GET, HEAD, OPTIONS, PATCH"
	tests := []struct{ path, method, allow string }{
		{"/by-link/link", "GET", "OPTIONS, POST"},
		{"/by-link/link", "HEAD", "OPTIONS, POST"},
		{"/by-link/login", "GET", "OPTIONS, POST"},
		{"/by-link/login", "PUT", "OPTIONS, POST"},
		{"/social/login", "GET", "OPTIONS, POST"},
		{"/social/login/google-oauth2", "GET", "OPTIONS, POST"},
		{"/social/authorize", "GET", "OPTIONS, POST"},
		{"/social/authorize/google-oauth2", "DELETE", "OPTIONS, POST"},
		{"/social/providers", "POST", "GET, HEAD, OPTIONS"},
		{"/user", "POST", user},
		{"/user", "PUT", user},
		{"/token/refresh", "GET", "OPTIONS, POST"},
		{"/logout", "GET", "OPTIONS, POST"},
		{"/sessions", "POST", "GET, HEAD, OPTIONS"},
		{"/sessions/1", "GET", "DELETE, OPTIONS"},
		{"/social/callback/apple-id", "DELETE", "GET, HEAD, OPTIONS, POST"},
		{"/keys", "DELETE", "GET, HEAD, OPTIONS, POST"},
		{"/keys/1", "GET", "DELETE, OPTIONS"},
		{"/identities", "DELETE", "GET, HEAD, OPTIONS"},
		{"/identities/1", "GET", "DELETE, OPTIONS"},
		{"/.well-known/jwks.json", "POST", "GET, HEAD, OPTIONS"},
		{"/user", "BREW", user},
	}
	w := newWorld(t)
	for _, test := range tests {
		for _, slash := range []string{"", "/"} {
			r := w.call(test.method, test.path+slash, "")
			body := `{"detail":"Method \"` + test.method + `\" not allowed."}`
			if test.method == http.MethodHead {
				body = ""
			}
			r.expect(t, http.StatusMethodNotAllowed, body)
			r.expectHeader(t, "Allow", test.allow)

			r = w.call("OPTIONS", test.path+slash, "")
			r.expect(t, http.StatusNoContent, "")
			r.expectHeader(t, "Allow", test.allow)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"", "/", "/x", "/by-link", "/by-link/", "/by-link/link/x", "/user/1", "/sessions/1/2", "/sessions/a%2Fb/",
		"/social/login/a/b", "/user;a=b", "/User", "/../../elsewhere", "/.well-known/", "/%00", "/%ff",
	} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			w.call(method, path, "").expect(t, http.StatusNotFound, `{"detail":"Not found."}`)
		}
	}
}

// A request that a mux would redirect is answered in place.
func TestNoRedirects(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/v1/auth/user", "/v1/auth/user/", "/v1/auth/user//", "/v1//auth/user/", "/v1/auth/./user", "/x/../v1/auth/user",
		"/v1/auth/sessions/%2e%2e/user/",
	} {
		w.send("GET", path, "").expect(t, http.StatusUnauthorized, `{"detail":"Authentication credentials were not provided."}`)
	}
}

// What the Handler does not own is answered too, for servers that mount it
// alone.
func TestForeignPath(t *testing.T) {
	w := newWorld(t)
	handler := httpapi.New(httpapi.Options{Realm: w.realm})
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/v1/auth/../secret", nil)
	request.RemoteAddr = "@"
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusNotFound {
		t.Errorf("got %d", recorder.Code)
	}
}
