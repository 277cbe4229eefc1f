package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestChangeOfAddress(t *testing.T) {
	w := newWorld(t)
	ann := w.login("ann@example.com")
	w.post("/user/email/", `{"email":"new@example.com"}`).expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	w.post("/user/email/", `{}`, ann.authorization()...).expect(t, 400, `{"email":["This field is required."]}`)
	w.post("/user/email/", `{"email":"ann@example.com"}`, ann.authorization()...).expect(t, 400, `{"email":["This is your address already."]}`)
	r := w.post("/user/email/", `{"email":" New@example.com","locale":"de"}`, ann.authorization()...)
	r.masked().expect(t, 200, `{"email":" New@example.com","expires_in":900,"request_id":"R","current_code_required":false}`)
	var receipt struct {
		RequestID string `json:"request_id"`
	}
	r.decode(t, &receipt)
	code := w.mails.last().Code
	if mail := w.mails.last(); mail.To != "New@example.com" || mail.Locale != "de" {
		t.Errorf("mail = %+v, want one to the new address", mail)
	}
	w.post("/user/email/confirm/", `{"current_code":"1"}`, ann.authorization()...).
		expect(t, 400, `{"code":["This field is required."],"request_id":["This field is required."]}`)
	w.post("/user/email/confirm/", `{"request_id":"`+receipt.RequestID+`","code":"x"}`, ann.authorization()...).
		expect(t, 400, `{"code":["Enter the six digits of the code."]}`)
	w.post("/user/email/confirm/", `{"request_id":"unknown","code":"`+code+`"}`, ann.authorization()...).
		expect(t, 400, `{"detail":"The code is invalid or has expired.","code":"invalid_code"}`)
	r = w.post("/user/email/confirm/", `{"request_id":"`+receipt.RequestID+`","code":"`+code+`"}`, ann.authorization()...)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("POST /user/email/confirm/ = %d %s, want 200", r.StatusCode, r.body)
	}
	var changed loggedIn
	r.decode(t, &changed)
	if changed.ID != ann.ID || changed.Email != "New@example.com" || changed.IsNew {
		t.Errorf("answer = %+v, want the user with the new address", changed)
	}
	w.call(http.MethodGet, "/user/", "", ann.authorization()...).expect(t, 401, `{"detail":"Invalid token."}`)
	if r := w.call(http.MethodGet, "/user/", "", changed.authorization()...); !strings.Contains(r.body, `"email":"New@example.com","email_verified":true`) {
		t.Errorf("GET /user/ = %s, want the new address", r.body)
	}
}

func TestDeleteUser(t *testing.T) {
	w := newWorld(t)
	ann, other := w.login("ann@example.com"), w.login("ann@example.com")
	w.call(http.MethodDelete, "/user/", "").expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	w.advance(16 * time.Minute)
	w.call(http.MethodDelete, "/user/", "", ann.authorization()...).
		expect(t, 403, `{"detail":"Log in again to delete your account.","code":"reauthentication_required"}`)
	again := w.login("ann@example.com")
	w.call(http.MethodDelete, "/user/", "", again.authorization()...).expect(t, 204, "")
	for _, token := range []loggedIn{ann, other, again} {
		w.call(http.MethodGet, "/user/", "", token.authorization()...).expect(t, 401, `{"detail":"User inactive or deleted."}`)
	}
	if next := w.login("ann@example.com"); !next.IsNew || next.ID == ann.ID {
		t.Errorf("login after the deletion = %+v, want a new user", next)
	}
}

func TestExportUser(t *testing.T) {
	w := newWorld(t)
	w.call(http.MethodGet, "/user/export/", "").expect(t, 401, `{"detail":"Authentication credentials were not provided."}`)
	ann := w.login("ann@example.com")
	link, code := w.mail("ann@example.com") // a link that is live
	r := w.call(http.MethodGet, "/user/export/", "", ann.authorization()...)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("GET /user/export/ = %d %s, want 200", r.StatusCode, r.body)
	}
	r.expectHeader(t, "Content-Disposition", `attachment; filename="account.json"`)
	r.expectHeader(t, "Cache-Control", "no-store")
	var export struct {
		User     struct{ ID, Email string }
		Sessions []struct{ Current bool }
		Records  []struct {
			Kind    string
			Details struct{ Email string }
		}
	}
	r.decode(t, &export)
	if export.User.ID != ann.ID || len(export.Sessions) != 1 || !export.Sessions[0].Current ||
		len(export.Records) != 1 || export.Records[0].Kind != "link" || export.Records[0].Details.Email != "ann@example.com" {
		t.Errorf("export = %s, want user, session and link", r.body)
	}
	for _, secret := range []string{ann.Token, link, code, "secret", "digest"} {
		if strings.Contains(r.body, secret) {
			t.Errorf("export contains %q:\n%s", secret, r.body)
		}
	}
	w.store.broken.Store(true)
	if r := w.call(http.MethodGet, "/user/export/", "", ann.authorization()...); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("GET /user/export/ without the store = %d, want 503", r.StatusCode)
	}
}

// Accept-Language selects the language of a mail without a locale.
func TestAcceptLanguageSelectsTheLanguage(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string]string{
		`{"email":"a@example.com"}`:                            "fr-CA, de;q=0.5",
		`{"email":"a@example.com","locale":"ja"}`:              "ja",
		`{"email":"a@example.com","locale":"pt-BR, en;q=0.5"}`: "pt-BR, en;q=0.5",
	} {
		if r := w.post("/by-link/link/", body, "Accept-Language", "fr-CA, de;q=0.5"); r.StatusCode != http.StatusOK {
			t.Fatalf("POST /by-link/link/ = %d %s, want 200", r.StatusCode, r.body)
		}
		if got := w.mails.last().Locale; got != want {
			t.Errorf("locale of the mail for %s = %q, want %q", body, got, want)
		}
	}
}
