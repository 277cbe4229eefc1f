package httpapi_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func TestLinkRequest(t *testing.T) {
	w := newWorld(t)
	r := w.post("/by-link/link/", `{"email":"Ada@Example.com"}`)
	r.masked().expect(t, 200, `{"email":"Ada@Example.com","expires_in":900,"request_id":"R"}`)
	r.expectHeader(t, "Content-Type", "application/json")
	r.expectHeader(t, "Cache-Control", "no-store")
	r.expectHeader(t, "X-Content-Type-Options", "nosniff")
	r.expectHeader(t, "Referrer-Policy", "no-referrer")
	mail := w.mails.last()
	if mail.To != "Ada@example.com" || !strings.HasPrefix(mail.Link, linkBase) || len(mail.Code) != 6 {
		t.Errorf("mail is %+v", mail)
	}
	w.post("/by-link/link", `{"email":"ada@example.com","client_key":"`+webKey+`","locale":"de"}`).
		masked().expect(t, 200, `{"email":"ada@example.com","expires_in":900,"request_id":"R"}`)
	if mail := w.mails.last(); mail.Client != "web" || mail.Locale != "de" {
		t.Errorf("mail is %+v", mail)
	}
}

func TestLinkRequestOnDevelopmentServer(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) { cfg.DebugLinks = true })
	r := w.post("/by-link/link/", `{"email":"ada@example.com"}`)
	want := `{"email":"ada@example.com","expires_in":900,"request_id":"R","_debug_auth_link":"` + w.mails.last().Link + `"}`
	r.masked().expect(t, 200, want)
}

func TestLinkLogin(t *testing.T) {
	w := newWorld(t)
	shape := regexp.MustCompile(`^\{"id":"[0-9a-f-]{36}","token":"[\w-]+\.[\w-]+\.[\w-]+","username":"ada","first_name":"","last_name":"",` +
		`"email":"ada@example\.com","email_verified":true,"avatar_url":"","is_new":(true|false),"expires_at":"2026-01-16T03:04:05Z"\}$`)
	for _, isNew := range []string{"true", "false"} {
		token, _ := w.mail("ada@example.com")
		r := w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`)
		match := shape.FindStringSubmatch(r.body)
		if r.StatusCode != http.StatusOK || match == nil || match[1] != isNew {
			t.Errorf("got %d %s, want is_new %s", r.StatusCode, r.body, isNew)
		}
	}
}

func TestCodeLogin(t *testing.T) {
	w := newWorld(t)
	token, code, requestID := w.request("ada@example.com")
	r := w.post("/by-link/login/", `{"request_id":"`+requestID+`","email":"ignored","code":"`+code+`","client_key":"`+webKey+`"}`)
	var login loggedIn
	r.decode(t, &login)
	if r.StatusCode != http.StatusOK || login.Email != "ada@example.com" {
		t.Fatalf("got %d %s", r.StatusCode, r.body)
	}
	const dead = `{"detail":"The link is invalid or has expired.","code":"invalid_link"}`
	w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`).expect(t, 400, dead)
}

// Five wrong codes end the code. The link still works.
func TestCodeGuesses(t *testing.T) {
	w := newWorld(t)
	token, code, requestID := w.request("ada@example.com")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	body := func(code string) string {
		return `{"request_id":"` + requestID + `","code":"` + code + `","client_key":"` + webKey + `"}`
	}
	const dead = `{"detail":"The code is invalid or has expired.","code":"invalid_code"}`
	for range 5 {
		w.post("/by-link/login/", body(wrong)).expect(t, 400, dead)
	}
	w.post("/by-link/login/", body(code)).expect(t, 400, dead)
	if r := w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`); r.StatusCode != http.StatusOK {
		t.Errorf("the link answers %d %s", r.StatusCode, r.body)
	}
}

func TestDeadLinks(t *testing.T) {
	const dead = `{"detail":"The link is invalid or has expired.","code":"invalid_link"}`
	tests := map[string]func(w *world) string{
		"unknown": func(*world) string { return "AQBPBBTjbdnehj51" },
		"a number": func(*world) string {
			return "12345"
		},
		"used": func(w *world) string {
			token, _ := w.mail("ada@example.com")
			w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`)
			w.advance(10 * time.Second)
			return token
		},
		"superseded": func(w *world) string {
			token, _ := w.mail("ada@example.com")
			for range 3 {
				w.advance(time.Second)
				w.mail("ADA@example.com")
			}
			return token
		},
		"expired": func(w *world) string {
			token, _ := w.mail("ada@example.com")
			w.advance(15 * time.Minute)
			return token
		},
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.post("/by-link/login/", `{"token":"`+token(w)+`","client_key":"`+webKey+`"}`).expect(t, 400, dead)
		})
	}
}

// A wrong client key is found before anything is spent.
func TestWrongClientKeySpendsNothing(t *testing.T) {
	w := newWorld(t)
	token, code, requestID := w.request("ada@example.com")
	const wrong = `{"client_key":["Invalid client key."]}`
	w.post("/by-link/login/", `{"token":"`+token+`","client_key":"wrong"}`).expect(t, 400, wrong)
	w.post("/by-link/login/", `{"request_id":"`+requestID+`","code":"`+code+`","client_key":"wrong"}`).expect(t, 400, wrong)
	w.post("/by-link/link/", `{"email":"ada@example.com","client_key":"wrong"}`).expect(t, 400, wrong)
	w.post("/social/login/google-oauth2/", `{"code":"good-code","client_key":"wrong"}`).expect(t, 400, wrong)
	if asked := w.provider.requests(); len(asked) != 0 {
		t.Errorf("the provider was asked: %+v", asked)
	}
	if r := w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`); r.StatusCode != http.StatusOK {
		t.Errorf("the link was spent: %d %s", r.StatusCode, r.body)
	}
}

func TestThrottled(t *testing.T) {
	const throttled = `{"detail":"Request was throttled. Expected available in 900 seconds."}`
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.Limits = ratelimit.Limits{LinkPerIP: ratelimit.Rate{N: 5, Window: 15 * time.Minute}}
	})
	w.login("known@example.com")
	for _, address := range []string{"known@example.com", "unknown@example.com"} {
		w.advance(time.Hour)
		body := fmt.Sprintf(`{"email":%q}`, address)
		for range 5 {
			if r := w.post("/by-link/link/", body); r.StatusCode != http.StatusOK {
				t.Fatalf("%s: got %d %s", address, r.StatusCode, r.body)
			}
		}
		r := w.post("/by-link/link/", body, "Origin", origin)
		r.expect(t, 429, throttled)
		r.expectHeader(t, "Retry-After", "900")
		r.expectHeader(t, "Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
	}
}

func TestMailQueueFull(t *testing.T) {
	w := newWorld(t)
	w.mails.full = true
	r := w.post("/by-link/link/", `{"email":"ada@example.com"}`)
	r.expect(t, http.StatusServiceUnavailable, `{"detail":"The service is temporarily unavailable.","code":"unavailable"}`)
	r.expectHeader(t, "Retry-After", "5")
}

func TestDisabledUserGetsNoToken(t *testing.T) {
	w := newWorld(t)
	login := w.login("ada@example.com")
	token, _ := w.mail("ada@example.com")
	if _, err := w.realm.Accounts.Disable(t.Context(), login.ID); err != nil {
		t.Fatal(err)
	}
	w.post("/by-link/login/", `{"token":"`+token+`","client_key":"`+webKey+`"}`).
		expect(t, 403, `{"detail":"User inactive or deleted.","code":"user_inactive"}`)
	r := w.call("GET", "/user/", "", login.authorization()...)
	r.expect(t, 401, `{"detail":"User inactive or deleted."}`)
}

// Codes as users and frontends send them. A JSON number has lost its leading zeros.
func TestCodeForms(t *testing.T) {
	for name, form := range map[string]func(code string) string{
		"text":      func(code string) string { return `"` + code + `"` },
		"number":    func(code string) string { return strings.TrimLeft(code[:5], "0") + code[5:] },
		"blanks":    func(code string) string { return `"\u00a0` + code[:3] + ` ` + code[3:] + `\n"` },
		"full stop": func(code string) string { return `"` + code + `."` },
		"fullwidth": func(code string) string {
			return `"` + strings.Map(func(r rune) rune { return r - '0' + '\uff10' }, code) + `"`
		},
		"zero width":     func(code string) string { return `"\u200b` + code + `\ufeff"` },
		"hyphen":         func(code string) string { return `"` + code[:3] + `\u2011` + code[3:] + `"` },
		"tab":            func(code string) string { return `"` + code[:3] + `\t` + code[3:] + `"` },
		"cells":          func(code string) string { return `"` + strings.Join(strings.Split(code, ""), `\r\n`) + `"` },
		"soft line feed": func(code string) string { return `"` + code + `\u2028"` },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, code, requestID := w.request("ada@example.com")
			r := w.post("/by-link/login/", `{"request_id":" `+requestID+`\u200b","code":`+form(code)+`,"client_key":"`+webKey+`"}`)
			if r.StatusCode != http.StatusOK {
				t.Errorf("login with %s for %s = %d %s, want 200", form(code), code, r.StatusCode, r.body)
			}
		})
	}
}

// Blanks and invisible characters that are copied along with an address or a token
// are ignored, but not within them.
func TestTrimmedFields(t *testing.T) {
	w := newWorld(t)
	w.post("/by-link/link/", `{"email":"\u00a0ada@example.com\u200b\r\n"}`).
		masked().expect(t, 200, "{\"email\":\"\u00a0ada@example.com\u200b\\r\\n\",\"expires_in\":900,\"request_id\":\"R\"}")
	token := strings.TrimPrefix(w.mails.last().Link, linkBase)
	w.post("/by-link/login/", `{"token":"`+token[:30]+`\n`+token[30:]+`","client_key":"`+webKey+`"}`).
		expect(t, 400, `{"token":["Control characters are not allowed."]}`)
	if r := w.post("/by-link/login/", `{"token":"\u2003`+token+`\n","client_key":"`+webKey+`"}`); r.StatusCode != http.StatusOK {
		t.Errorf("login with blanks around the token = %d %s, want 200", r.StatusCode, r.body)
	}
}
