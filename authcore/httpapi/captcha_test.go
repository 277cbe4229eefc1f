package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

const captchaSecret = "0x4AAA-captcha-secret"

// withCaptcha requires a captcha, whose service accepts the response "solved" for the
// host that is in hostname.
func withCaptcha(t *testing.T, hostname string, calls *int) func(*realm.Config) {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*calls++
		body := `{"success":false,"error-codes":["invalid-input-response"]}`
		switch {
		case hostname == "":
			w.WriteHeader(http.StatusInternalServerError)
		case r.FormValue("secret") == captchaSecret && r.FormValue("response") == "solved":
			body = `{"success":true,"hostname":"` + hostname + `"}`
		}
		w.Write([]byte(body))
	}))
	t.Cleanup(service.Close)
	return func(c *realm.Config) {
		c.Captcha = &captcha.Config{VerifyURL: service.URL, Secret: captchaSecret, Transport: service.Client().Transport}
	}
}

// The widgets of all origins of clients and of the page of mailed links are accepted.
func TestCaptcha(t *testing.T) {
	const (
		required    = `{"detail":"Solve the captcha first.","code":"captcha_required"}`
		failed      = `{"detail":"The captcha was not solved or has expired. Please try again.","code":"captcha_failed"}`
		unavailable = `{"detail":"The service is temporarily unavailable.","code":"unavailable"}`
	)
	for _, test := range []struct {
		name, hostname, response string
		status                   int
		body                     string
		calls                    int
	}{
		{"none", "frontend.app", `,"captcha_response":""`, 400, required, 0},
		{"no field", "frontend.app", ``, 400, required, 0},
		{"null", "frontend.app", `,"captcha_response":null`, 400, `{"captcha_response":["This field may not be null."]}`, 0},
		{"wrong", "frontend.app", `,"captcha_response":"guessed"`, 400, failed, 1},
		{"solved", "frontend.app", `,"captcha_response":"solved"`, 200, ``, 1},
		{"solved elsewhere", "evil.example", `,"captcha_response":"solved"`, 400, failed, 1},
		{"service down", "", `,"captcha_response":"solved"`, 503, unavailable, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			w := newWorld(t, withCaptcha(t, test.hostname, &calls))
			r := w.post("/by-link/link/", `{"email":"ada@example.com"`+test.response+`}`)
			if test.body != "" {
				r.expect(t, test.status, test.body)
			}
			if r.StatusCode != test.status || calls != test.calls {
				t.Errorf("POST /by-link/link/ = %d %s after %d calls of the service, want %d after %d", r.StatusCode, r.body, calls, test.status, test.calls)
			}
			if got := r.Header.Get("Retry-After"); (got != "") != (test.status == http.StatusServiceUnavailable) {
				t.Errorf("Retry-After = %q, want it with a 503 only", got)
			}
			if text := w.logs.String(); strings.Contains(text, captchaSecret) || strings.Contains(text, "solved") {
				t.Errorf("the log contains the secret or the response: %s", text)
			}
		})
	}
}

// Without solving captchas, an attacker must not use up the budgets of a mailbox or of a
// client (CWE-770), and must not use the calls of the service without a limit.
func TestHardeningCaptchaProtectsBudgets(t *testing.T) {
	calls := 0
	w := newWorld(t, withCaptcha(t, "frontend.app", &calls), func(c *realm.Config) {
		c.Limits = ratelimit.DefaultLimits()
		c.Limits.LinkPerIP.N, c.Limits.LinkPerClient.N, c.Limits.LinkOverall.N = 20, 5, 5
	})
	refused := 0
	for range 40 {
		if r := w.post("/by-link/link/", `{"email":"ada@example.com","client_key":"`+webKey+`","captcha_response":"guessed"}`); r.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if calls > 20 || refused == 0 {
		t.Errorf("40 guesses caused %d calls and %d were refused, want at most 20 calls", calls, refused)
	}
	w.advance(15 * time.Minute)
	if r := w.post("/by-link/link/", `{"email":"ada@example.com","client_key":"`+webKey+`","captcha_response":"solved"}`); r.StatusCode != http.StatusOK {
		t.Errorf("the owner's request = %d %s, want 200", r.StatusCode, r.body)
	}
}
