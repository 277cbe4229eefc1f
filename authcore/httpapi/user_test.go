package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestUser(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	auth := login.authorization()
	user := func(first, last string) string {
		return `{"id":"` + login.ID + `","username":"ada","first_name":"` + first + `","last_name":"` + last +
			`","email":"ada@example.com","email_verified":true,"avatar_url":""}`
	}
	w.call("GET", "/user/", "", auth...).expect(t, 200, user("", ""))
	if r := w.call("HEAD", "/user", "", auth...); r.StatusCode != http.StatusOK || r.body != "" {
		t.Errorf("HEAD: got %d %q", r.StatusCode, r.body)
	}
	patch := func(body string) response {
		return w.call("PATCH", "/user/", body, append(auth, "Content-Type", jsonType)...)
	}
	patch(`{"first_name":"Ada <3 & co","last_name":"Lovelace","email":"eve@example.com","id":"1"}`).
		expect(t, 200, user("Ada <3 & co", "Lovelace"))
	patch(`{"first_name":""}`).expect(t, 200, user("", "Lovelace"))
	patch(`{}`).expect(t, 200, user("", "Lovelace"))
	patch(`{"first_name":null,"last_name":true}`).
		expect(t, 400, `{"first_name":["This field may not be null."],"last_name":["Not a valid string."]}`)
	patch(`{"first_name":"a\tb"}`).expect(t, 400, `{"first_name":["Control characters are not allowed."]}`)
	patch(`{"last_name":"`+strings.Repeat("é", 151)+`"}`).
		expect(t, 400, `{"last_name":["Ensure this field has no more than 150 characters."]}`)
	patch(`[]`).expect(t, 400, `{"detail":"Expected a JSON object."}`)
	w.call("GET", "/user/", "", auth...).expect(t, 200, user("", "Lovelace"))
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	old := w.login("ada@example.com")
	w.advance(time.Hour)
	r := w.call("POST", "/token/refresh/", "", old.authorization()...)
	var fresh loggedIn
	r.decode(t, &fresh)
	if r.StatusCode != http.StatusOK || fresh.ID != old.ID || fresh.Token == old.Token || fresh.IsNew || fresh.ExpiresAt != "2026-01-16T04:04:05Z" {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	w.call("GET", "/verify/", "", old.authorization()...).expect(t, 200, "")
	w.call("GET", "/verify/", "", fresh.authorization()...).expect(t, 200, "")
	// Another tab, which has not got the new token yet.
	w.call("POST", "/token/refresh/", "", old.authorization()...).expect(t, 200, r.body)
	// Too late: two parties have tokens of the session.
	w.advance(31 * time.Second)
	w.call("POST", "/token/refresh/", "", old.authorization()...).expect(t, 401, `{"detail":"Invalid token."}`)
	w.call("GET", "/verify/", "", fresh.authorization()...).expect(t, 401, `{"detail":"Invalid token."}`)
}

func TestLogout(t *testing.T) {
	const gone = `{"detail":"Invalid token."}`
	for _, test := range []struct {
		name, body string
		headers    []string
		others     int // status of the user's other session
	}{
		{"no body", "", nil, 200},
		{"empty object", "{}", []string{"Content-Type", jsonType}, 200},
		{"this one", `{"everywhere":false}`, []string{"Content-Type", jsonType}, 200},
		{"everywhere", `{"everywhere":true}`, []string{"Content-Type", jsonType}, 401},
		{"everywhere, form", `everywhere=1`, []string{"Content-Type", formType}, 401},
		{"everywhere, number", `{"everywhere":1}`, []string{"Content-Type", jsonType}, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			this, other, eve := w.login("ada@example.com"), w.login("ada@example.com"), w.login("eve@example.com")
			r := w.call("POST", "/logout/", test.body, append(this.authorization(), test.headers...)...)
			r.expect(t, 204, "")
			r.expectHeader(t, "Content-Type", "")
			r.expectHeader(t, "Cache-Control", "no-store")
			w.call("GET", "/verify/", "", this.authorization()...).expect(t, 401, gone)
			if r := w.call("GET", "/verify/", "", other.authorization()...); r.StatusCode != test.others {
				t.Errorf("the other session: got %d %s", r.StatusCode, r.body)
			}
			w.call("GET", "/verify/", "", eve.authorization()...).expect(t, 200, "")
		})
	}
	w := newWorld(t)
	old := w.login("ada@example.com")
	var fresh loggedIn
	w.advance(time.Second)
	w.call("POST", "/token/refresh/", "", old.authorization()...).decode(t, &fresh)
	w.call("POST", "/logout/", "", old.authorization()...).expect(t, 204, "") // any token of the session
	w.call("GET", "/verify/", "", fresh.authorization()...).expect(t, 401, gone)

	auth := append(w.login("ada@example.com").authorization(), "Content-Type", jsonType)
	w.call("POST", "/logout/", `{"everywhere":"x"}`, auth...).expect(t, 400, `{"everywhere":["Must be a valid boolean."]}`)
	w.call("POST", "/logout/", `{"everywhere":[true]}`, auth...).expect(t, 400, `{"everywhere":["Must be a valid boolean."]}`)
	w.call("POST", "/logout/", `{`, auth...).expect(t, 400, `{"detail":"JSON parse error - invalid syntax at byte 1."}`)
	w.call("GET", "/verify/", "", auth...).expect(t, 200, "")
}

func TestSessions(t *testing.T) {
	type session struct {
		ID, Client, Method, Created, Address string
		LastSeen                             string `json:"last_seen"`
		ExpiresAt                            string `json:"expires_at"`
		UserAgent                            string `json:"user_agent"`
		Current                              bool
	}
	w := newWorld(t)
	first := w.login("ada@example.com")
	w.advance(time.Minute)
	second := w.login("ada@example.com")
	eve := w.login("eve@example.com")

	var list []session
	w.call("GET", "/sessions/", "", first.authorization()...).decode(t, &list)
	if len(list) != 2 || list[0].Current || !list[1].Current {
		t.Fatalf("got %+v", list)
	}
	want := session{
		ID: list[1].ID, Client: "web", Method: "link", Created: "2026-01-02T03:04:05Z", Address: "127.0.0.1",
		LastSeen: list[1].LastSeen, ExpiresAt: "2026-01-16T03:04:05Z", UserAgent: "Go-http-client/1.1", Current: true,
	}
	if list[1] != want {
		t.Errorf("got %+v, want %+v", list[1], want)
	}

	const notFound = `{"detail":"Not found."}`
	w.call("DELETE", "/sessions/"+list[0].ID+"/", "", eve.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/sessions/unknown/", "", first.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/sessions/%00%ff", "", first.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/sessions/"+list[0].ID+"/", "", first.authorization()...).expect(t, 204, "")
	w.call("GET", "/verify/", "", second.authorization()...).expect(t, 401, `{"detail":"Invalid token."}`)
	w.call("DELETE", "/sessions/"+list[0].ID, "", first.authorization()...).expect(t, 404, notFound)
	w.call("GET", "/verify/", "", first.authorization()...).expect(t, 200, "")
}

// The store may know that a session has ended before its revocation arrives here
// from another node. The answer is the same.
func TestTokenThatEndedElsewhere(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	// The changes are made in the store alone, as by another node.
	change := func(change func(*authcore.Account)) {
		t.Helper()
		if _, err := w.store.UpdateAccount(t.Context(), login.ID, w.realm.Now(), func(a *authcore.Account) error {
			change(a)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	change(func(a *authcore.Account) { a.EndSessions(func(authcore.Session) bool { return true }) })
	r := w.call("POST", "/token/refresh/", "", login.authorization()...)
	r.expect(t, 401, `{"detail":"Invalid token."}`)
	r.expectHeader(t, "WWW-Authenticate", "Token")

	state := w.beginLink("google-oauth2", login)
	change(func(a *authcore.Account) { a.Disable(w.realm.Now().Add(time.Hour)) })
	link := `{"code":"good-code","client_key":"` + webKey + `","link":true,"state":"` + state + `"}`
	for _, call := range [][2]string{{"GET", "/user/"}, {"PATCH", "/user/"}, {"POST", "/token/refresh/"}, {"POST", "/social/login/google-oauth2/"}} {
		r := w.call(call[0], call[1], link, append(login.authorization(), "Content-Type", jsonType)...)
		r.expect(t, 401, `{"detail":"User inactive or deleted."}`)
		r.expectHeader(t, "WWW-Authenticate", "Token")
	}
}

// The texts that clients compare, byte for byte, on every endpoint that needs a
// token.
func TestAuthorizationHeader(t *testing.T) {
	const (
		absent  = `{"detail":"Authentication credentials were not provided."}`
		empty   = `{"detail":"Invalid token header. No credentials provided."}`
		spaces  = `{"detail":"Invalid token header. Token string should not contain spaces."}`
		noUTF8  = `{"detail":"Invalid token header. Token string should not contain invalid characters."}`
		invalid = `{"detail":"Invalid token."}`
	)
	w := newWorld(t)
	good := w.login("ada@example.com").Token
	tests := []struct {
		name   string
		values []string
		want   string
	}{
		{"absent", nil, absent},
		{"empty", []string{""}, absent},
		{"another scheme", []string{"Bearer " + good}, absent},
		{"no blank", []string{"Token=" + good}, absent},
		{"no token", []string{"Token"}, empty},
		{"blank token", []string{"Token "}, empty},
		{"two words", []string{"Token a b"}, spaces},
		{"joined", []string{"Token " + good + ", Token " + good}, spaces},
		{"two headers", []string{"Token " + good, "Token " + good}, spaces},
		{"not UTF-8", []string{"Token \xff\xfe"}, noUTF8},
		{"noise", []string{"Token " + strings.Repeat("x", 5000)}, invalid},
		{"bad signature", []string{"Token " + good[:len(good)-4] + "AAAA"}, invalid},
	}
	endpoints := []struct{ method, path string }{
		{"GET", "/user/"},
		{"PATCH", "/user/"},
		{"POST", "/token/refresh/"},
		{"POST", "/logout/"},
		{"GET", "/sessions/"},
		{"DELETE", "/sessions/1/"},
		{"GET", "/verify/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var headers []string
			for _, value := range test.values {
				headers = append(headers, "Authorization", value)
			}
			for _, e := range endpoints {
				r := w.call(e.method, e.path, "", headers...)
				r.expect(t, http.StatusUnauthorized, test.want)
				r.expectHeader(t, "WWW-Authenticate", "Token")
				r.expectHeader(t, "Content-Type", jsonType)
			}
		})
	}
	for _, value := range []string{"token " + good, "TOKEN \t " + good} {
		w.call("GET", "/verify/", "", "Authorization", value).expect(t, 200, "")
	}
	w.advance(15 * 24 * time.Hour)
	w.call("GET", "/verify/", "", "Authorization", "Token "+good).expect(t, 401, invalid)
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	auth := append(login.authorization(), "Content-Type", jsonType)
	w.call("PATCH", "/user/", `{"first_name":"Zoë"}`, auth...)
	var fresh loggedIn
	w.call("POST", "/token/refresh/", "", auth...).decode(t, &fresh)

	r := w.call("GET", "/verify/", "", append(fresh.authorization(), "X-Auth-User-Id", "root")...)
	r.expect(t, 200, "")
	r.expectHeader(t, "Cache-Control", "no-store")
	r.expectHeader(t, "Content-Length", "0")
	r.expectHeader(t, "Content-Type", "")
	for name, want := range map[string]string{
		"X-Auth-User-Id": login.ID, "X-Auth-Email": "ada@example.com", "X-Auth-Email-Verified": "true",
		"X-Auth-Name": "Zo%C3%AB", "X-Auth-Method": "link", "X-Auth-Client": "web",
	} {
		r.expectHeader(t, name, want)
	}
	if _, present := r.Header["X-Auth-Assertion"]; !present {
		t.Error("a header without a value is absent; a proxy that copies it would keep the client's")
	}
}

func TestKeySet(t *testing.T) {
	w := newWorld(t)
	keys, _ := w.realm.Keys.JWKS()
	for _, path := range []string{"/v1/auth/.well-known/jwks.json", "/v1/auth/.well-known/jwks.json/"} {
		r := w.send("GET", path, "", "Origin", "https://elsewhere.test")
		r.expect(t, 200, string(keys))
		r.expectHeader(t, "Cache-Control", "public, max-age=600")
		r.expectHeader(t, "Access-Control-Allow-Origin", "*")
		r.expectHeader(t, "Content-Type", jsonType)
	}
	if !strings.Contains(string(keys), `"kty"`) || strings.Contains(string(keys), `"d"`) {
		t.Errorf("key set is %s", keys)
	}
}
