package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSMTPCheck(t *testing.T) {
	ca := loopbackCA(t)
	script := &smtpScript{tls: ca.server, user: "u", pass: "p", extensions: []string{"AUTH PLAIN"}}
	server := script.start(t)
	trusted := func(c *SMTPConfig) { c.TLSConfig = &tls.Config{RootCAs: ca.pool} }
	if err := newTestSMTP(t, server, trusted).Check(shortly(t)); err != nil {
		t.Fatal(err)
	}
	said := script.said()
	for _, want := range []string{"STARTTLS", "AUTH PLAIN", "QUIT"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
	if strings.Contains(said, "MAIL") || len(script.received()) > 0 {
		t.Errorf("a mail was begun:\n%s", said)
	}

	wrong := server
	wrong.Password = "geheim"
	gone := server
	gone.Port = 1
	for name, c := range map[string]struct {
		server SMTPServer
		change func(*SMTPConfig)
		stage  string
	}{
		"password":    {wrong, trusted, "auth"},
		"certificate": {server, nil, "tls"},
		"port":        {gone, trusted, "connect"},
	} {
		err := newTestSMTP(t, c.server, c.change).Check(shortly(t))
		var failure *DeliveryError
		if !errors.As(err, &failure) || failure.Stage != c.stage || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server that accepts and says nothing does not hold the check.
func TestSMTPCheckEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server := SMTPServer{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSNone}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := newTestSMTP(t, server, nil).Check(ctx); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Error(err)
	}
}

func TestWebhookCheck(t *testing.T) {
	status := http.StatusMethodNotAllowed
	webhook := newTestWebhook(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.URL.Path != "/send" || r.Header.Get("Authorization") != "" || r.ContentLength > 0 {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		w.WriteHeader(status)
	})
	if err := webhook.Check(shortly(t)); err != nil {
		t.Error(err)
	}
	status = http.StatusBadGateway
	var failure *DeliveryError
	if err := webhook.Check(shortly(t)); !errors.As(err, &failure) || failure.Status != status {
		t.Error(err)
	}
	gone, err := NewWebhook(WebhookConfig{URL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gone.Close() })
	if err := gone.Check(shortly(t)); !errors.As(err, &failure) || failure.Stage != "http" {
		t.Error(err)
	}
}
