package httpapi_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

// createdKey is the answer to the creation of a key.
type createdKey struct{ ID, Secret string }

func withKeys(cfg *realm.Config) { cfg.APIKeys = apikey.Users }

func (w *world) createKey(login loggedIn) createdKey {
	w.t.Helper()
	r := w.post("/keys/", `{"name":"ci","expires_in":86400}`, login.authorization()...)
	if r.StatusCode != http.StatusCreated {
		w.t.Fatalf("creating a key: %d %s", r.StatusCode, r.body)
	}
	var key createdKey
	r.decode(w.t, &key)
	return key
}

func TestKeys(t *testing.T) {
	w := newWorld(t, withKeys)
	ada, eve := w.login("ada@example.com"), w.login("eve@example.com")
	w.call("GET", "/keys/", "", ada.authorization()...).expect(t, 200, "[]")
	r := w.post("/keys/", `{"name":"ci","expires_in":"86400","roles":[]}`, ada.authorization()...)
	shape := regexp.MustCompile(`^\{"id":"([0-9a-f-]{36})","name":"ci","roles":\[\],"created":"2026-01-02T03:04:05Z",` +
		`"expires_at":"2026-01-03T03:04:05Z","last_used":"","secret":"eak_[\w-]+\.[\w-]+\.[\w-]+"\}$`)
	match := shape.FindStringSubmatch(r.body)
	if r.StatusCode != http.StatusCreated || match == nil {
		t.Fatalf("POST /keys/ = %d %s, want a key", r.StatusCode, r.body)
	}
	r.expectHeader(t, "Cache-Control", "no-store")
	w.call("GET", "/keys/", "", ada.authorization()...).expect(t, 200, `[{"id":"`+match[1]+
		`","name":"ci","roles":[],"created":"2026-01-02T03:04:05Z","expires_at":"2026-01-03T03:04:05Z","last_used":""}]`)
	w.call("GET", "/keys/", "", eve.authorization()...).expect(t, 200, "[]")
	w.call("DELETE", "/keys/"+match[1]+"/", "", eve.authorization()...).expect(t, 404, `{"detail":"Not found."}`)
	w.call("DELETE", "/keys/"+match[1]+"/", "", ada.authorization()...).expect(t, 204, "")
	w.call("DELETE", "/keys/"+match[1]+"/", "", ada.authorization()...).expect(t, 404, `{"detail":"Not found."}`)
	w.call("GET", "/keys/", "", ada.authorization()...).expect(t, 200, "[]")
}

func TestKeyFields(t *testing.T) {
	w := newWorld(t, withKeys)
	ada := w.login("ada@example.com")
	for body, want := range map[string]string{
		`{}`:                                                `{"expires_in":["This field is required."],"name":["This field is required."]}`,
		`{"name":"","expires_in":60}`:                       `{"name":["This field may not be blank."]}`,
		`{"name":["a"],"expires_in":60}`:                    `{"name":["Not a valid string."]}`,
		`{"name":"a","expires_in":"soon"}`:                  `{"expires_in":["Enter a whole number of seconds."]}`,
		`{"name":"a","expires_in":1e99}`:                    `{"expires_in":["Enter a whole number of seconds."]}`,
		`{"name":"a","expires_in":1}`:                       `{"expires_in":["Must be between 60 and 31622400 seconds."]}`,
		`{"name":"a","expires_in":60,"roles":["admin"]}`:    `{"roles":["The account does not have all of these roles."]}`,
		`{"name":"a","expires_in":60,"roles":["a b"]}`:      `{"roles":["Not a valid list."]}`,
		`{"name":"a","expires_in":60,"roles":[null]}`:       `{"roles":["Not a valid list."]}`,
		`{"name":"a","expires_in":60,"roles":["\udc00"]}`:   `{"roles":["Not a valid list."]}`,
		`{"name":"a","expires_in":60,"roles":{"a":true}}`:   `{"roles":["Not a valid list."]}`,
		`{"name":"a","expires_in":60,"roles":"admin root"}`: `{"roles":["The account does not have all of these roles."]}`,
	} {
		w.post("/keys/", body, ada.authorization()...).expect(t, 400, want)
	}
	w.post("/logout/", `{"everywhere":["true"]}`, ada.authorization()...).expect(t, 400, `{"everywhere":["Must be a valid boolean."]}`)
}

// A realm without keys, or in which operators create them, refuses users.
func TestKeysAreClosed(t *testing.T) {
	for _, use := range []apikey.Use{apikey.Off, apikey.Operators} {
		w := newWorld(t, func(cfg *realm.Config) { cfg.APIKeys = use })
		w.post("/keys/", `{"name":"ci","expires_in":60}`, w.login("ada@example.com").authorization()...).
			expect(t, 403, `{"detail":"API keys cannot be created here.","code":"keys_closed"}`)
	}
}

// A stolen key gives access to the applications that accept keys and to nothing else: it
// neither reads nor changes the account, and it makes no key or token that outlives it.
func TestHardeningKeyIsNoLoginToken(t *testing.T) {
	w := newWorld(t, withKeys)
	ada := w.login("ada@example.com")
	key := w.createKey(ada)
	for _, scheme := range []string{"Token ", "Bearer "} {
		for _, call := range [][3]string{
			{"GET", "/user/", ""},
			{"PATCH", "/user/", `{"first_name":"Eve"}`},
			{"DELETE", "/user/", ""},
			{"GET", "/user/export/", ""},
			{"POST", "/user/email/", `{"email":"eve@example.com"}`},
			{"POST", "/token/refresh/", ""},
			{"POST", "/logout/", ""},
			{"POST", "/logout/", `{"everywhere":true}`},
			{"GET", "/sessions/", ""},
			{"GET", "/identities/", ""},
			{"GET", "/keys/", ""},
			{"POST", "/keys/", `{"name":"more","expires_in":60}`},
			{"DELETE", "/keys/" + key.ID + "/", ""},
			{"GET", "/verify/", ""},
		} {
			want := `{"detail":"API keys are not accepted here.","code":"key_not_accepted"}`
			if scheme == "Bearer " {
				want = `{"detail":"Authentication credentials were not provided."}`
			}
			w.call(call[0], call[1], call[2], "Authorization", scheme+key.Secret, "Content-Type", "application/json").expect(t, 401, want)
		}
	}
	w.call("GET", "/keys/", "", ada.authorization()...).expectHeader(t, "Content-Type", "application/json")
}

// A stolen token of an earlier login creates no key, which would outlive it.
func TestHardeningOldLoginCreatesNoKey(t *testing.T) {
	w := newWorld(t, withKeys)
	ada := w.login("ada@example.com")
	w.advance(16 * time.Minute)
	w.post("/keys/", `{"name":"ci","expires_in":60}`, ada.authorization()...).
		expect(t, 403, `{"detail":"Log in again to create an API key.","code":"reauthentication_required"}`)
}

// The secret of a key is in no log at any level.
func TestHardeningKeyIsNotLogged(t *testing.T) {
	w := newWorld(t, withKeys)
	key := w.createKey(w.login("ada@example.com"))
	w.call("GET", "/user/", "", "Authorization", "Token "+key.Secret)
	w.call("DELETE", "/keys/"+key.Secret+"/", "", "Authorization", "Token "+key.Secret)
	if log := w.logs.String(); regexp.MustCompile(`eak_`).MatchString(log) {
		t.Errorf("the log contains the key: %s", log)
	}
}
