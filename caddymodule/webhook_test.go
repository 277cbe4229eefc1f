package caddymodule

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/webhook"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// Selected entries reach the receiver. A refused one is a dead letter, which an operator
// sends again.
func TestWebhook(t *testing.T) {
	t.Setenv("HOOK_SECRET", hookSecret)
	messages := make(chan webhook.Body, 10)
	status := make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body webhook.Body
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("webhook-signature") == "" {
			t.Errorf("the receiver got %+v, %v without a signature, want a signed message", r.Header, err)
		}
		w.WriteHeader(<-status)
		messages <- body
	}))
	t.Cleanup(receiver.Close)
	address := "127.0.0.1:" + freePort(t)
	realm := "insecure_debug_links\nstorage memory\naudit {\nwebhook " + receiver.URL + "/path-secret {env.HOOK_SECRET} {\naction signup user_disabled\n}\n}"
	s := setup{Port: freePort(t), Realm: realm, Site: "handle /metrics {\n metrics\n}\n handle {\n token_auth\n respond ok\n}"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))

	status <- http.StatusOK
	login(t, s, "ann@example.com")
	if got := <-messages; got.Type != "signup" || got.Data.User == "" || got.Data.Email != "" {
		t.Errorf("the first message = %+v, want a signup", got)
	}
	status <- http.StatusUnprocessableEntity
	if out, err := operate(address, "user", "disable", "ann@example.com"); err != nil {
		t.Fatalf("user disable = %q, %v, want no error", out, err)
	}
	if got := <-messages; got.Type != "user_disabled" || got.Data.ActorID == "" {
		t.Errorf("the second message = %+v, want that of the operator", got)
	}
	var state webhook.Status
	servertest.Eventually(t, "the refused message is a dead letter", func() bool {
		out, err := operate(address, "webhook", "list", "--json")
		return err == nil && json.Unmarshal([]byte(out), &state) == nil && state.Dead == 1 && state.Waiting == 0
	})
	if out, err := operate(address, "webhook", "list"); err != nil || !strings.Contains(out, receiver.URL) || strings.Contains(out, "path-secret") {
		t.Errorf("webhook list = %q, %v, want the origin of the URL only", out, err)
	}
	out, err := operate(address, "webhook", "dead", state.ID, "--json")
	var dead webhook.DeadLetter
	if err != nil || json.Unmarshal([]byte(out), &dead) != nil || dead.Action != "user_disabled" || !strings.Contains(dead.Error, "422") {
		t.Fatalf("webhook dead = %q, %v, want the refused message", out, err)
	}
	status <- http.StatusOK
	if out, err := operate(address, "webhook", "retry", state.ID, dead.ID); err != nil {
		t.Errorf("webhook retry = %q, %v, want no error", out, err)
	}
	if got := <-messages; got.Type != "user_disabled" {
		t.Errorf("the message after the retry = %+v, want that of the operator", got)
	}
	checkWebhookMetrics(t, s, state.ID)
	for _, args := range []string{"discard " + state.ID + " " + dead.ID, "dead other", "retry other msg_x"} {
		if _, err := operate(address, append([]string{"webhook"}, strings.Fields(args)...)...); err == nil {
			t.Errorf("webhook %s succeeded, want not found", args)
		}
	}
	if out, err := operate(address, "audit", "--action", "webhook_retried"); err != nil || !strings.Contains(out, dead.ID) {
		t.Errorf("audit = %q, %v, want the retry", out, err)
	}
}

// checkWebhookMetrics checks the metrics after two accepted messages and a refused one.
// They contain neither the URL nor the secret.
func checkWebhookMetrics(t *testing.T, s setup, id string) {
	t.Helper()
	delivered := func(result, count string) string {
		return `edgeauth_webhook_deliveries_total{realm="",result="` + result + `",webhook="` + id + `"} ` + count
	}
	label := `{realm="",webhook="` + id + `"} `
	var text string
	servertest.Eventually(t, "the metrics count the deliveries", func() bool {
		_, text = call(t, http.MethodGet, s.url("/metrics"), nil)
		return strings.Contains(text, delivered("sent", "2"))
	})
	for _, want := range []string{
		delivered("rejected", "1"), delivered("expired", "0"),
		"edgeauth_webhook_waiting" + label, "edgeauth_webhook_dead_letters" + label, "edgeauth_webhook_oldest_age_seconds" + label,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s: %s", want, text)
		}
	}
	for _, hidden := range []string{"path-secret", "127.0.0.1", "whsec_"} {
		if strings.Contains(text, hidden) {
			t.Errorf("the metrics contain %q", hidden)
		}
	}
}

// A webhook that cannot work is refused when the configuration is loaded, without its
// secret in the error.
func TestWebhookFaults(t *testing.T) {
	t.Setenv("HOOK_SECRET", hookSecret)
	for hook, want := range map[string]string{
		"webhook http://example.com/ {env.HOOK_SECRET}":                                              "https",
		"webhook https://example.com/ whsec_secret":                                                  "secret is not valid",
		"webhook https://example.com/ {env.ABSENT_HOOK_SECRET}":                                      "ABSENT_HOOK_SECRET",
		"webhook https://a.example/ {env.HOOK_SECRET}\nwebhook https://a.example/ {env.HOOK_SECRET}": "twice",
		"webhook https://a.example/ {env.HOOK_SECRET} {\naction Login!\n}":                           "action",
	} {
		text := "{\n admin off\n edgeauth {\n insecure_debug_links\n storage memory\n client web " + testKey + "\n email_link https://a.example/{token}\n audit {\n" + hook + "\n}\n }\n}\nhttp://localhost:9 {\n login_api\n}\n"
		if err := validate(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "whsec_secret") {
			t.Errorf("validate(%s) = %v, want %q", hook, err, want)
		}
	}
}
