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
	if err := newTestSMTP(t, server, trusted).Check(shortly(t), "login@example.com"); err != nil {
		t.Fatalf("Check() failed: %v", err)
	}
	said := script.said()
	for _, want := range []string{"STARTTLS", "AUTH PLAIN", "MAIL FROM:<login@example.com>", "RCPT TO:<postmaster@example.com>", "RSET", "QUIT"} {
		if !strings.Contains(said, want) {
			t.Errorf("commands do not contain %s:\n%s", want, said)
		}
	}
	if strings.Contains(said, "DATA") || len(script.received()) > 0 {
		t.Errorf("a mail was sent:\n%s", said)
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
		err := newTestSMTP(t, c.server, c.change).Check(shortly(t), "login@example.com")
		var failure *DeliveryError
		if !errors.As(err, &failure) || failure.Stage != c.stage || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: Check() failed with %v, want a failure of %s", name, err, c.stage)
		}
	}
}

// TestSMTPCheckEndsWithItsContext uses a server that accepts connections only.
func TestSMTPCheckEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen() failed: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server := SMTPServer{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSNone}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := newTestSMTP(t, server, nil).Check(ctx, "login@example.com"); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Errorf("Check() failed with %v, want a timeout", err)
	}
}

func TestWebhookCheck(t *testing.T) {
	status := http.StatusMethodNotAllowed
	webhook := newTestWebhook(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.URL.Path != "/send" || r.Header.Get("Authorization") != "" || r.ContentLength > 0 {
			t.Errorf("request = %s %s %v", r.Method, r.URL, r.Header)
		}
		w.WriteHeader(status)
	})
	if err := webhook.Check(shortly(t)); err != nil {
		t.Errorf("Check() failed: %v", err)
	}
	status = http.StatusBadGateway
	var failure *DeliveryError
	if err := webhook.Check(shortly(t)); !errors.As(err, &failure) || failure.Status != status {
		t.Errorf("Check() failed with %v, want status %d", err, status)
	}
	gone, err := NewWebhook(WebhookConfig{URL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatalf("NewWebhook() failed: %v", err)
	}
	t.Cleanup(func() { _ = gone.Close() })
	if err := gone.Check(shortly(t)); !errors.As(err, &failure) || failure.Stage != "http" {
		t.Errorf("Check() failed with %v, want a failure of http", err)
	}
}
