package httpapi_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

// basicOf is the value of Authorization with HTTP Basic.
func basicOf(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// verifyKeys is a call of verify with some credentials.
func (w *world) verifyKeys(credentials gate.Credentials, browser bool, headers ...string) (status int, header http.Header, body string) {
	w.t.Helper()
	options := httpapi.Options{Realm: w.realm, Credentials: credentials}
	if browser {
		site, err := gate.NewBrowser(gate.BrowserConfig{Origin: appOrigin})
		if err != nil {
			w.t.Fatalf("gate.NewBrowser() failed: %v", err)
		}
		options.Browsers = []*gate.Browser{site}
	}
	answer := verifyWith(httpapi.New(options), http.MethodGet, "/", headers...)
	return answer.Code, answer.Header(), answer.Body.String()
}

// verify decides about API keys as token_auth with the same options does.
func TestVerifyKeys(t *testing.T) {
	w := newWorld(t, withKeys)
	ada := w.login("ada@example.com")
	key := w.createKey(ada).Secret
	const (
		notAccepted = `{"detail":"API keys are not accepted here.","code":"key_not_accepted"}`
		required    = `{"detail":"An API key is required here.","code":"key_required"}`
	)
	off, on, only := gate.Credentials{}, gate.Credentials{Keys: gate.KeysOn}, gate.Credentials{Keys: gate.KeysOnly}
	bearer := gate.Credentials{Schemes: gate.SchemeBearer}
	basic := gate.Credentials{Keys: gate.KeysOn, Basic: true}
	for _, test := range []struct {
		name        string
		credentials gate.Credentials
		header      []string
		status      int
		body        string
	}{
		{"key, off", off, []string{"Authorization", "Token " + key}, 401, notAccepted},
		{"key, on", on, []string{"Authorization", "Bearer " + key}, 200, ""},
		{"key as Token, on", on, []string{"Authorization", "Token " + key}, 200, ""},
		{"login, on", on, ada.authorization(), 200, ""},
		{"key, only", only, []string{"Authorization", "Token " + key}, 200, ""},
		{"login, only", only, ada.authorization(), 401, required},
		{"cookie, only", only, []string{"Cookie", "__Host-edgeauth=" + ada.Token}, 401, ""},
		{"login as Bearer", bearer, []string{"Authorization", "Bearer " + ada.Token}, 200, ""},
		{"key as password", basic, []string{"Authorization", basicOf("git", key)}, 200, ""},
		{"key as password of another site's form", basic, []string{"Authorization", basicOf("git", key), "Sec-Fetch-Site", "cross-site", "X-Forwarded-Method", "POST"}, 403, ""},
		{"password without the option", on, []string{"Authorization", basicOf("git", key)}, 401, ""},
		{"no credentials", on, nil, 401, ""},
	} {
		for _, browser := range []bool{false, true} {
			status, header, body := w.verifyKeys(test.credentials, browser, test.header...)
			if status != test.status || test.body != "" && body != test.body {
				t.Errorf("verify(%s, login page %t) = %d %s, want %d %s", test.name, browser, status, body, test.status, test.body)
			}
			if want := test.name[:3] == "key"; status == 200 && (header.Get(gate.HeaderMethod) == gate.MethodKey) != want {
				t.Errorf("verify(%s) has the method %q, want that of a key: %t", test.name, header.Get(gate.HeaderMethod), want)
			}
			if status == 401 && header.Get("Www-Authenticate") == "" {
				t.Errorf("verify(%s) = 401 without WWW-Authenticate", test.name)
			}
		}
	}
}

// With the option, a key opens verify only: it neither reads nor changes the account.
func TestHardeningKeyOpensVerifyOnly(t *testing.T) {
	w := newWorld(t, withKeys)
	key := w.createKey(w.login("ada@example.com"))
	handler := httpapi.New(httpapi.Options{Realm: w.realm, Credentials: gate.Credentials{Keys: gate.KeysOn, Basic: true}})
	for _, path := range []string{"user/", "keys/", "sessions/", "user/export/"} {
		for _, scheme := range []string{"Token " + key.Secret, "Bearer " + key.Secret, basicOf("x", key.Secret)} {
			if answer := get(handler, "/v1/auth/"+path, scheme); answer.Code != http.StatusUnauthorized {
				t.Errorf("GET %s with a key = %d %s, want 401", path, answer.Code, answer.Body)
			}
		}
	}
}

func get(handler http.Handler, target, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Authorization", authorization)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}
