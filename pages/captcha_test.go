package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/pages"
)

// withCaptcha requires a captcha, whose service accepts the response "solved".
func withCaptcha(t *testing.T, widget captcha.Widget) func(*pages.Options, *realm.Config) {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{"success":false,"error-codes":["invalid-input-response"]}`
		if r.FormValue("response") == "solved" {
			body = `{"success":true,"hostname":"app.example.com","action":"login"}`
		}
		_, _ = w.Write([]byte(body)) // a client that is gone needs no answer
	}))
	t.Cleanup(service.Close)
	return func(_ *pages.Options, c *realm.Config) {
		c.Captcha = &captcha.Config{
			VerifyURL: service.URL, Secret: "secret-of-the-captcha", Action: "login", Widget: widget, Transport: service.Client().Transport,
		}
	}
}

// Forms that send mail contain the widget, and only their pages allow its origins.
func TestCaptcha(t *testing.T) {
	w := newWorld(t, withCaptcha(t, captcha.Widget{
		SiteKey: "key-of-the-site", Script: "https://captcha.example/api.js?a=1&b=2", Class: "h-captcha", Origins: []string{"https://assets.example"},
	}))
	b := w.browser()
	const (
		widget = `<div class="h-captcha captcha" data-sitekey="key-of-the-site" data-action="login"></div>`
		script = `<script src="https://captcha.example/api.js?a=1&amp;b=2" async defer></script>`
		unsure = "Confirm that you are human, then try again."
	)
	page := b.get("/auth/").must(http.StatusOK).shows(widget, script, "<noscript>").hides("secret-of-the-captcha")
	want := "default-src 'none'; style-src 'self' https://captcha.example https://assets.example; " +
		"script-src 'self' https://captcha.example https://assets.example; img-src 'self' data:; form-action 'self' https://provider.example; " +
		"connect-src https://captcha.example https://assets.example; frame-src https://captcha.example https://assets.example; " +
		"base-uri 'none'; frame-ancestors 'none'"
	if got := page.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("Content-Security-Policy = %s, want %s", got, want)
	}
	for _, response := range []string{"", "guessed"} {
		b.post("/auth/", "email", ann, "h-captcha-response", response).must(http.StatusBadRequest).shows(unsure, `value="`+ann+`"`, widget)
	}
	if got := w.mails.count(); got != 0 {
		t.Fatalf("%d mails were sent without a solved captcha, want none", got)
	}
	sent := b.post("/auth/", "email", ann, "h-captcha-response", "solved").must(http.StatusSeeOther).location()
	b.get(sent).must(http.StatusOK).shows(widget)
	b.post(sent, "again", "1").must(http.StatusBadRequest).shows(unsure, widget)
	b.post(sent, "again", "1", "h-captcha-response", "solved").must(http.StatusSeeOther)
	if got := w.mails.count(); got != 2 {
		t.Errorf("%d mails were sent, want 2", got)
	}
	b.post("/auth/", "provider", "github").must(http.StatusSeeOther)
	if policy := b.get(w.mails.path()).Header().Get("Content-Security-Policy"); strings.Contains(policy, "captcha.example") {
		t.Errorf("the policy of another page = %s, want it without the captcha", policy)
	}
	b.post(w.mails.path()).must(http.StatusSeeOther)
	b.get("/auth/confirm").must(http.StatusOK).shows(widget, "Confirm that it is you")
	b.post("/auth/confirm").must(http.StatusBadRequest).shows(unsure, widget, "Confirm that it is you")
	b.post("/auth/confirm", "h-captcha-response", "solved").must(http.StatusSeeOther)
}
