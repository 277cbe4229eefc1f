package mailer

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"
)

// newTestWebhook returns a transport to a handler.
func newTestWebhook(t *testing.T, handler http.HandlerFunc) *Webhook {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	webhook, err := NewWebhook(WebhookConfig{URL: server.URL + "/send", Token: "hunter2"})
	if err != nil {
		t.Fatalf("NewWebhook() failed: %v", err)
	}
	t.Cleanup(func() { _ = webhook.Close() })
	return webhook
}

func TestWebhookPostsTheMail(t *testing.T) {
	bodies := make(chan map[string]string, 2)
	webhook := newTestWebhook(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("Decode() failed: %v", err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/send" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Authorization") != "Bearer hunter2" || r.Header.Get("Idempotency-Key") != "0123456789abcdef@example.com" {
			t.Errorf("request = %s %s %v", r.Method, r.URL, r.Header)
		}
		bodies <- body
		w.WriteHeader(http.StatusAccepted)
	})
	mustDeliver(t, webhook)
	m := testMessage()
	body := <-bodies
	for name, want := range map[string]string{
		"to": m.To, "from": `"Example" <login@example.com>`, "subject": m.Subject, "text": m.Text, "html": m.HTML,
	} {
		if body[name] != want {
			t.Errorf("member %s = %q, want %q", name, body[name], want)
		}
	}
	if _, has := body["reply_to"]; has {
		t.Error("the body contains reply_to, want none")
	}
	m.ReplyTo = netmail.Address{Address: "help@example.com"}
	if err := webhook.Deliver(shortly(t), m); err != nil {
		t.Fatalf("Deliver() failed: %v", err)
	}
	if got := (<-bodies)["reply_to"]; got != "<help@example.com>" {
		t.Errorf("reply_to = %q, want <help@example.com>", got)
	}
}

func TestWebhookStatus(t *testing.T) {
	for status, want := range map[int]string{
		200: "sent", 201: "sent", 202: "sent", 204: "sent",
		408: "retry", 429: "retry", 500: "retry", 502: "retry", 503: "retry",
		301: "retry", 307: "retry", 401: "retry", 403: "retry", 404: "retry", 410: "retry",
		400: "rejected", 413: "rejected", 422: "rejected",
	} {
		webhook := newTestWebhook(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = io.WriteString(w, "about alice@example.org")
			}
		})
		got := "sent"
		var failure *DeliveryError
		if err := deliver(t, webhook); errors.As(err, &failure) {
			got = "retry"
			if failure.Permanent {
				got = "rejected"
			}
			if failure.Status != status {
				t.Errorf("Status = %d, want %d", failure.Status, status)
			}
			wantNoSecrets(t, err.Error())
		}
		if got != want {
			t.Errorf("result of status %d = %s, want %s", status, got, want)
		}
	}
}

// TestWebhookFollowsNoRedirect: a redirect would send the token and the link to a host
// that is not configured (CWE-601).
func TestWebhookFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		webhook := newTestWebhook(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, status)
		})
		if err := deliver(t, webhook); err == nil {
			t.Errorf("Deliver() with status %d succeeded, want an error", status)
		}
	}
}

func TestWebhookBoundsTheAnswer(t *testing.T) {
	stopped := make(chan struct{})
	webhook := newTestWebhook(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(stopped)
		chunk := strings.Repeat("x", 32<<10)
		for {
			if _, err := io.WriteString(w, chunk); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
	ctx := shortly(t)
	if err := webhook.Deliver(ctx, testMessage()); err != nil || ctx.Err() != nil {
		t.Errorf("Deliver() = %v, context %v", err, ctx.Err())
	}
	receive(t, stopped)
}

func TestWebhookNothingListens(t *testing.T) {
	server := httptest.NewServer(nil)
	webhook, err := NewWebhook(WebhookConfig{URL: server.URL + "/hunter2", Client: server.Client()})
	if err != nil {
		t.Fatalf("NewWebhook() failed: %v", err)
	}
	server.Close()
	var failure *DeliveryError
	if err := deliver(t, webhook); !errors.As(err, &failure) || failure.Permanent {
		t.Fatalf("Deliver() failed with %v, want a temporary failure", err)
	}
	wantNoSecrets(t, failure.Error()) // a *url.Error contains the URL
}

func TestNewWebhookRefuses(t *testing.T) {
	for _, config := range []WebhookConfig{
		{},
		{URL: "mail.example.com"},
		{URL: "ftp://mail.example.com/"},
		{URL: "http://mail.example.com/hunter2"},
		{URL: "https://user:hunter2@mail.example.com/"},
		{URL: "https:///hunter2"},
		{URL: "https://mail.example.com/%zzhunter2"},
		{URL: "https://mail.example.com/", Token: "hunter2\r\nX: y"},
	} {
		if _, err := NewWebhook(config); err == nil {
			t.Errorf("NewWebhook(%+v) succeeded, want an error", config)
		} else {
			wantNoSecrets(t, err.Error())
		}
	}
	if _, err := NewWebhook(WebhookConfig{URL: "https://mail.example.com/send?key=1"}); err != nil {
		t.Errorf("NewWebhook() failed: %v", err)
	}
}

func TestLogShowsTheLink(t *testing.T) {
	var logs logBuffer
	transport := NewLog(logs.logger())
	mustDeliver(t, transport)
	for _, want := range []string{"level=WARN", "development mailer", "link=https://frontend.app/auth/link/S3cretL1nk", "code=987654", "to=alice@example.org"} {
		if !strings.Contains(logs.String(), want) {
			t.Errorf("the log does not contain %q:\n%s", want, logs.String())
		}
	}
	if err := transport.Close(); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
}
