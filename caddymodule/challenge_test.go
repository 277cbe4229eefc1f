package caddymodule

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A realm with challenge refuses requests for links without a solved captcha.
func TestChallenge(t *testing.T) {
	t.Setenv("EDGEAUTH_TEST_CAPTCHA", "secret-of-the-captcha")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		solved := r.FormValue("secret") == "secret-of-the-captcha" && r.FormValue("response") == "solved"
		fmt.Fprintf(w, `{"success":%t,"hostname":"frontend.app"}`, solved)
	}))
	defer service.Close()
	admin := "127.0.0.1:" + freePort(t)
	s := setup{
		Port:  freePort(t),
		Realm: "insecure_debug_links\nstorage memory\nchallenge " + service.URL + " {env.EDGEAUTH_TEST_CAPTCHA}",
		Site:  "login_api",
	}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+admin, 1))
	for response, want := range map[string]int{"": 400, "guessed": 400, "solved": 200} {
		answer, body := call(t, http.MethodPost, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "ann@example.com", "captcha_response": response})
		if answer.StatusCode != want {
			t.Errorf("POST with captcha_response %q = %d %s, want %d", response, answer.StatusCode, body, want)
		}
	}
	if _, body := call(t, http.MethodGet, "http://"+admin+"/config/", nil); !strings.Contains(body, "{env.EDGEAUTH_TEST_CAPTCHA}") || strings.Contains(body, "secret-of-the-captcha") {
		t.Errorf("GET /config/ = %s, want the placeholder in place of the secret", body)
	}
}

func TestChallengeFaults(t *testing.T) {
	const verify = "challenge https://captcha.example/siteverify "
	for realm, want := range map[string]string{
		"challenge":                    "expected the address that verifies responses and a secret, got 0 arguments",
		verify:                         "got 1 arguments",
		verify + "a\n" + verify + "a":  "must not be repeated",
		verify + "{env.NOT_SET}":       "challenge: secret: ",
		verify + "a {\n colour red\n}": "colour",
		verify + "a {\n site_key x\n}": "challenge: site_key and script belong together",
		verify + "a {\n widget a/b\n}": "challenge: widget: ",
		"challenge http://x.example a": "challenge: the verify URL must begin with https://",
	} {
		s := setup{Port: "8080", Realm: "storage memory\nmailer log\n" + realm, Site: "login_api"}
		if err := validate(s.caddyfile()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validate(%s) = %v, want %q", realm, err, want)
		}
	}
	site := "{\n admin off\n edgeauth {\n insecure_debug_links\n storage memory\n " + verify + "a\n }\n}\nhttp://localhost:9 {\n login_page\n}\n"
	if err := validate(site); err == nil || !strings.Contains(err.Error(), "add site_key and script to challenge") {
		t.Errorf("validate(login_page without a widget) = %v, want that the widget is missing", err)
	}
}
