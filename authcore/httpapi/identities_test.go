package httpapi_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// socialLogin logs in at a provider.
func (w *world) socialLogin(provider, more string, headers ...string) loggedIn {
	w.t.Helper()
	r := w.post("/social/login/"+provider+"/", `{"code":"good-code","client_key":"`+webKey+`"`+more+`}`, headers...)
	if r.StatusCode != http.StatusOK {
		w.t.Fatalf("login: %d %s", r.StatusCode, r.body)
	}
	var login loggedIn
	r.decode(w.t, &login)
	return login
}

func TestIdentities(t *testing.T) {
	w := newWorld(t)
	w.provider.profile = authcore.Profile{Subject: "subject-9", Email: "ada@example.com"}
	ada := w.socialLogin("google-oauth2", "")
	w.advance(1e9)
	w.socialLogin("github", `,"link":true,"state":"`+w.beginLink("github", ada)+`"`, ada.authorization()...)

	r := w.call("GET", "/identities/", "", ada.authorization()...)
	shape := regexp.MustCompile(`^\[\{"id":"[0-9a-f-]{36}","provider":"google-oauth2","email":"ada@example\.com","created":"2026-01-02T03:04:05Z"\},` +
		`\{"id":"[0-9a-f-]{36}","provider":"github","email":"ada@example\.com","created":"2026-01-02T03:04:06Z"\}\]$`)
	if r.StatusCode != http.StatusOK || !shape.MatchString(r.body) {
		t.Fatalf("got %d %s", r.StatusCode, r.body)
	}
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &list); err != nil {
		t.Fatal(err)
	}
	const (
		notFound = `{"detail":"Not found."}`
		last     = `{"detail":"This is the only usable login method of the account. Add another one first.","code":"last_identity"}`
	)
	eve := w.login("eve@example.com")
	w.call("GET", "/identities/", "", eve.authorization()...).expect(t, 200, "[]")
	w.call("DELETE", "/identities/"+list[0].ID+"/", "", eve.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/identities/subject-9/", "", ada.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/identities/google-oauth2/", "", ada.authorization()...).expect(t, 404, notFound)

	// A browser sends no credentials when another site makes it send the request
	// (CWE-352).
	for _, headers := range [][]string{
		{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"},
		{"Cookie", "token=" + ada.Token + "; Authorization=Token " + ada.Token},
	} {
		w.call("DELETE", "/identities/"+list[0].ID+"/", "", headers...).
			expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	}
	r = w.call("OPTIONS", "/identities/"+list[0].ID+"/", "", "Origin", "https://evil.test", "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization")
	r.expectHeader(t, "Access-Control-Allow-Origin", "")
	w.call("POST", "/identities/"+list[0].ID+"/?_method=DELETE", "", append(ada.authorization(), "X-HTTP-Method-Override", "DELETE")...).
		expect(t, 405, `{"detail":"Method \"POST\" not allowed."}`)

	w.call("DELETE", "/identities/"+list[0].ID, "", ada.authorization()...).expect(t, 204, "")
	w.call("DELETE", "/identities/"+list[0].ID+"/", "", ada.authorization()...).expect(t, 404, notFound)
	w.call("DELETE", "/identities/"+list[1].ID+"/", "", ada.authorization()...).expect(t, 409, last)

	if _, err := w.realm.Accounts.Disable(t.Context(), ada.ID); err != nil {
		t.Fatal(err)
	}
	inactive := `{"detail":"User inactive or deleted."}`
	w.call("GET", "/identities/", "", ada.authorization()...).expect(t, 401, inactive)
	w.call("DELETE", "/identities/"+list[1].ID+"/", "", ada.authorization()...).expect(t, 401, inactive)
}
