package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Two prefixes of one realm accept different credentials at verify.
func TestVerifyAcceptsKeys(t *testing.T) {
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\nstorage memory\napi_keys users",
		Site: "login_api\nlogin_api /for-programs {\nkeys only\nkeys_basic\n}",
	}
	load(t, s.caddyfile())
	token := login(t, s, "ann@example.com")
	answer, body := call(t, http.MethodPost, s.url("/v1/auth/keys/"), map[string]any{"name": "ci", "expires_in": 3600}, "Authorization", "Token "+token)
	var key struct{ Secret string }
	if err := json.Unmarshal([]byte(body), &key); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("POST /keys/ = %d %s, %v, want a key", answer.StatusCode, body, err)
	}
	for _, test := range []struct {
		path, credential string
		status           int
	}{
		{"/v1/auth/verify/", token, 200},
		{"/v1/auth/verify/", key.Secret, 401},
		{"/for-programs/verify/", token, 401},
		{"/for-programs/verify/", key.Secret, 200},
		{"/for-programs/verify/any/path", key.Secret, 200},
	} {
		answer, body := call(t, http.MethodGet, s.url(test.path), nil, "Authorization", "Token "+test.credential)
		if answer.StatusCode != test.status {
			t.Errorf("GET %s = %d %s, want %d", test.path, answer.StatusCode, body, test.status)
		}
		if method := answer.Header.Get("X-Auth-Method"); test.status == 200 && (method == "key") != (test.credential == key.Secret) {
			t.Errorf("GET %s has X-Auth-Method %q", test.path, method)
		}
	}
	answer, _ = call(t, http.MethodGet, s.url("/for-programs/verify/"), nil)
	if got := strings.Join(answer.Header.Values("Www-Authenticate"), ", "); !strings.Contains(got, "Basic realm=") {
		t.Errorf("WWW-Authenticate = %q, want Basic", got)
	}
}

func TestVerifyKeysFaults(t *testing.T) {
	for site, want := range map[string]string{
		"login_api {\nkeys on\n}":        "login_api: keys: the realm has no API keys",
		"login_api {\nkeys_basic\n}":     "login_api: keys_basic: needs keys",
		"login_api {\nschemes Digest\n}": `login_api: schemes: "Digest" is not valid`,
		"login_api {\nkeys maybe\n}":     "keys",
	} {
		s := setup{Port: "8080", Realm: "storage memory\nmailer log", Site: site}
		if err := validate(s.caddyfile()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate(%s) = %v, want %q", site, err, want)
		}
	}
}
