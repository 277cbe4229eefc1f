package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/authenticator"
)

func withPasskeys(c *realm.Config) { c.Passkeys = realm.PasskeysOptional }

// wantStatus fails unless an answer has this status, and returns its body.
func (r response) wantStatus(t *testing.T, status int) string {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s = %d %s, want %d", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.body, status)
	}
	return r.body
}

// addPasskey registers a passkey and returns the body of the answer.
func (w *world) addPasskey(a *authenticator.Authenticator, token, name string) map[string]any {
	w.t.Helper()
	options := w.post("/passkeys/registration/options/", "{}", "Authorization", "Token "+token).wantStatus(w.t, http.StatusOK)
	credential, err := a.Create([]byte(options))
	if err != nil {
		w.t.Fatal(err)
	}
	body := w.post("/passkeys/registration/", `{"credential":`+string(credential)+`,"name":"`+name+`"}`, "Authorization", "Token "+token).
		wantStatus(w.t, http.StatusCreated)
	var made map[string]any
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		w.t.Fatal(err)
	}
	return made
}

// assertion returns the response of an authenticator to the options of the API.
func (w *world) assertion(a *authenticator.Authenticator) string {
	w.t.Helper()
	options := w.call(http.MethodPost, "/passkeys/login/options/", "").wantStatus(w.t, http.StatusOK)
	credential, err := a.Get([]byte(options))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(credential)
}

func TestPasskeys(t *testing.T) {
	w := newWorld(t, withPasskeys)
	token := w.login("ann@example.com").Token
	a := authenticator.New(origin)
	made := w.addPasskey(a, token, "Phone")
	id := made["id"].(string)
	if made["name"] != "Phone" || made["last_used"] != "" || made["created"] != "2026-01-02T03:04:05Z" || made["backed_up"] != false {
		t.Errorf("registration = %v", made)
	}
	w.advance(time.Minute)
	body := `{"credential":` + w.assertion(a) + `,"client_key":"` + webKey + `"}`
	answer := w.post("/passkeys/login/", body).wantStatus(t, http.StatusOK)
	var in struct {
		Token, Email string
		IsNew        bool `json:"is_new"`
	}
	if err := json.Unmarshal([]byte(answer), &in); err != nil || in.Token == "" || in.Email != "ann@example.com" || in.IsNew {
		t.Errorf("login = %s, %v, want the answer of every login", answer, err)
	}
	w.post("/passkeys/login/", body).expect(t, 400, `{"detail":"The passkey was not accepted. Please try again.","code":"invalid_passkey"}`)
	form := url.Values{"credential": {w.assertion(a)}, "client_key": {webKey}}
	w.call(http.MethodPost, "/passkeys/login/", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").wantStatus(t, http.StatusOK)

	auth := []string{"Authorization", "Token " + in.Token}
	list := w.call(http.MethodGet, "/passkeys/", "", auth...).wantStatus(t, http.StatusOK)
	if !strings.Contains(list, `"last_used":"2026-01-02T03:05:05Z"`) || !strings.Contains(list, `"credential_id":"`) {
		t.Errorf("list = %s, want the passkey, used", list)
	}
	w.call(http.MethodPatch, "/passkeys/"+id+"/", `{"name":"Laptop"}`, append(auth, "Content-Type", "application/json")...).wantStatus(t, http.StatusOK)
	w.call(http.MethodDelete, "/passkeys/other/", "", auth...).expect(t, 404, `{"detail":"Not found."}`)
	w.call(http.MethodDelete, "/passkeys/"+id+"/", "", auth...).expect(t, 204, "")
	w.call(http.MethodGet, "/passkeys/", "", auth...).expect(t, 200, "[]")
	w.post("/passkeys/login/", `{"credential":`+w.assertion(a)+`,"client_key":"`+webKey+`"}`).
		expect(t, 400, `{"detail":"This passkey is not registered here. Log in another way.","code":"unknown_passkey"}`)
}

func TestPasskeyRefusals(t *testing.T) {
	w := newWorld(t, withPasskeys)
	token := w.login("ann@example.com").Token
	auth := []string{"Authorization", "Token " + token}
	for body, want := range map[string]string{
		`{}`: `{"client_key":["This field is required."],"credential":["This field is required."]}`,
		`{"client_key":"` + webKey + `","credential":null}`: `{"credential":["This field may not be null."]}`,
		`{"client_key":"` + webKey + `","credential":[]}`:   `{"credential":["Not a valid object."]}`,
		`{"client_key":"` + webKey + `","credential":1}`:    `{"credential":["Not a valid object."]}`,
		`{"client_key":"` + webKey + `","credential":""}`:   `{"credential":["This field may not be blank."]}`,
		`{"client_key":{},"credential":{}}`:                 `{"client_key":["Not a valid string."]}`,
		`{"client_key":"other","credential":{}}`:            `{"client_key":["Invalid client key."]}`,
		`{"client_key":"` + webKey + `","credential":{}}`:   `{"detail":"The passkey was not accepted. Please try again.","code":"invalid_passkey"}`,
	} {
		w.post("/passkeys/login/", body).expect(t, 400, want)
	}
	w.post("/passkeys/registration/", `{"credential":{}}`, auth...).
		expect(t, 400, `{"detail":"The passkey was not accepted. Please try again.","code":"invalid_passkey"}`)
	w.post("/passkeys/registration/options/", "").wantStatus(t, http.StatusUnauthorized)
	w.post("/passkeys/login/options/", "", "Origin", "https://evil.example").wantStatus(t, http.StatusForbidden)
	w.advance(time.Hour)
	w.post("/passkeys/registration/options/", "", auth...).
		expect(t, 403, `{"detail":"Log in again to add a passkey.","code":"reauthentication_required"}`)
}

// Without the option there are no such endpoints.
func TestPasskeysSwitchedOff(t *testing.T) {
	w := newWorld(t)
	auth := []string{"Authorization", "Token " + w.login("ann@example.com").Token}
	for _, call := range []struct{ method, path string }{
		{http.MethodPost, "/passkeys/login/options/"},
		{http.MethodPost, "/passkeys/login/"},
		{http.MethodPost, "/passkeys/registration/options/"},
		{http.MethodPost, "/passkeys/registration/"},
		{http.MethodGet, "/passkeys/"},
		{http.MethodDelete, "/passkeys/id/"},
	} {
		w.call(call.method, call.path, "", auth...).expect(t, 404, `{"detail":"Not found."}`)
	}
}
