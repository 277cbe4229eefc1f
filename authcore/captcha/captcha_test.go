package captcha_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/captcha"
)

// wantCode requires a public error with this status and code, or none for status 200.
func wantCode(t *testing.T, what string, err error, status int, code authcore.Code) {
	t.Helper()
	if status == http.StatusOK {
		if err != nil {
			t.Errorf("%s = %v, want nil", what, err)
		}
		return
	}
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok || public.Status != status || public.Code != code {
		t.Errorf("%s = %v, want %d %s", what, err, status, code)
	}
}

func TestVerify(t *testing.T) {
	s := newService(t)
	v := s.verifier(t, nil)
	for _, test := range []struct {
		response string
		status   int
		code     authcore.Code
	}{
		{"", 400, authcore.CodeCaptchaRequired},
		{" ", 400, authcore.CodeCaptchaRequired},
		{"wrong", 400, authcore.CodeCaptchaFailed},
		{"solved", 200, ""},
		{"solved", 400, authcore.CodeCaptchaFailed},
		{"solved again", 200, ""},
		{strings.Repeat("x", 8<<10+1), 400, authcore.CodeCaptchaFailed},
	} {
		wantCode(t, "Verify("+test.response[:min(20, len(test.response))]+")", v.Verify(t.Context(), test.response, ip), test.status, test.code)
	}
	forms := s.calls()
	if len(forms) != 4 {
		t.Fatalf("the service received %d calls, want 4: nothing is sent for a missing or an oversized response", len(forms))
	}
	if got := forms[1]; got.Get("secret") != secret || got.Get("response") != "solved" || got.Get("remoteip") != "192.0.2.7" || len(got) != 3 {
		t.Errorf("the form = %v, want secret, response and remoteip", got)
	}
}

// Answers of services that accepted or refused, as they document them.
func TestAnswers(t *testing.T) {
	s := newService(t)
	for _, test := range []struct {
		name, action, body string
		http, status       int
		code               authcore.Code
	}{
		{"Turnstile", "login", `{"success":true,"challenge_ts":"2022-02-28T15:14:30.096Z","hostname":"app.example.com","error-codes":[],"action":"login","cdata":"x"}`, 200, 200, ""},
		{"hCaptcha", "", `{"success":true,"challenge_ts":"2022-02-28T15:14:30.096Z","hostname":"APP.example.com","credit":true}`, 200, 200, ""},
		{"reCAPTCHA", "", `{"success":true,"challenge_ts":"2022-02-28T15:14:30Z","hostname":"app.example.com"}`, 200, 200, ""},
		{"an application", "", `{"success":true,"apk_package_name":"com.example"}`, 200, 200, ""},
		{"another site", "", `{"success":true,"hostname":"evil.example"}`, 200, 400, authcore.CodeCaptchaFailed},
		{"a sub-domain", "", `{"success":true,"hostname":"x.app.example.com"}`, 200, 400, authcore.CodeCaptchaFailed},
		{"another action", "login", `{"success":true,"hostname":"app.example.com","action":"buy"}`, 200, 400, authcore.CodeCaptchaFailed},
		{"no action", "login", `{"success":true,"hostname":"app.example.com"}`, 200, 400, authcore.CodeCaptchaFailed},
		{"expired", "", `{"success":false,"error-codes":["timeout-or-duplicate"]}`, 200, 400, authcore.CodeCaptchaFailed},
		{"no code", "", `{"success":false}`, 200, 400, authcore.CodeCaptchaFailed},
		{"refused with 400", "", `{"success":false,"error-codes":["invalid-input-response"]}`, 400, 400, authcore.CodeCaptchaFailed},
		{"wrong secret", "", `{"success":false,"error-codes":["invalid-input-response","invalid-input-secret"]}`, 200, 503, authcore.CodeUnavailable},
		{"their fault", "", `{"success":false,"error-codes":["internal-error"]}`, 200, 503, authcore.CodeUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.says(test.http, test.body)
			v := s.verifier(t, func(c *captcha.Config) { c.Action = test.action })
			wantCode(t, "Verify()", v.Verify(t.Context(), "solved", ip), test.status, test.code)
		})
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*captcha.Config)
		want   string
	}{
		{"complete", func(*captcha.Config) {}, ""},
		{"this machine", func(c *captcha.Config) { c.VerifyURL = "http://127.0.0.1:1/siteverify" }, ""},
		{"no widget", func(c *captcha.Config) { c.Widget = captcha.Widget{} }, ""},
		{"not encrypted", func(c *captcha.Config) { c.VerifyURL = "http://captcha.example/" }, "the verify URL must begin with https://"},
		{"no URL", func(c *captcha.Config) { c.VerifyURL = "captcha" }, "the verify URL is not valid"},
		{"no secret", func(c *captcha.Config) { c.Secret = " " }, "the secret is empty"},
		{"host with scheme", func(c *captcha.Config) { c.Hostnames = []string{"https://a.example"} }, "hostname: "},
		{"no script", func(c *captcha.Config) { c.Widget.Script = "" }, "site_key and script belong together"},
		{"script not encrypted", func(c *captcha.Config) { c.Widget.Script = "http://captcha.example/x.js" }, "script: the URL must begin"},
		{"class", func(c *captcha.Config) { c.Widget.Class = "a b" }, "widget: "},
		{"wildcard", func(c *captcha.Config) { c.Widget.Origins = []string{"https://*.example"} }, "origins: "},
		{"origin with path", func(c *captcha.Config) { c.Widget.Origins = []string{"https://a.example/x"} }, "origins: "},
		{"origin that ends the policy", func(c *captcha.Config) { c.Widget.Origins = []string{"https://a.example;script-src"} }, "origins: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := captcha.Config{
				VerifyURL: "https://captcha.example/siteverify", Secret: secret,
				Widget: captcha.Widget{SiteKey: "key", Script: "https://captcha.example/api.js?x=1", Origins: []string{"https://b.example"}},
			}
			test.change(&cfg)
			cfg.SetDefaults()
			err := cfg.Validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), "challenge: "+test.want)) {
				t.Errorf("Validate() = %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("Validate() = %v, which contains the secret", err)
			}
		})
	}
}

func TestWidget(t *testing.T) {
	w := captcha.Widget{Script: "https://captcha.example/api.js?x=1", Class: "h-captcha", Origins: []string{"https://b.example"}}
	if got, want := w.Sources(), []string{"https://captcha.example", "https://b.example"}; !slices.Equal(got, want) {
		t.Errorf("Sources() = %v, want %v", got, want)
	}
	if got, want := w.Field(), "h-captcha-response"; got != want {
		t.Errorf("Field() = %q, want %q", got, want)
	}
	s := newService(t)
	if got := s.verifier(t, nil).Widget(); got != nil {
		t.Errorf("Widget() without a site key = %+v, want nil", got)
	}
}
