package mailer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
)

func deliver(t *testing.T, transport Transport) error {
	t.Helper()
	return transport.Deliver(shortly(t), testMessage())
}

func TestSMTPWritesTheMail(t *testing.T) {
	script := &smtpScript{extensions: []string{"8BITMIME", "SMTPUTF8", "SIZE 1000000", "CHUNKING"}}
	transport := newTestSMTP(t, script.start(t), nil)
	m := testMessage()
	m.From.Name, m.Subject = "Übergrün", "Grüße, höflich"
	m.ReplyTo = netmail.Address{Address: "help@example.com"}
	if err := transport.Deliver(shortly(t), m); err != nil {
		t.Fatalf("Deliver() failed: %v", err)
	}

	said := script.said()
	for _, want := range []string{"EHLO client.example.com", "MAIL FROM:<login@example.com>", "RCPT TO:<alice@example.org>"} {
		if !strings.Contains(said, want) {
			t.Errorf("commands do not contain %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "SMTPUTF8") || strings.Contains(said, "8BITMIME") {
		t.Errorf("MAIL requires an extension, so that a next server without it would bounce the mail:\n%s", said)
	}
	got, err := netmail.ReadMessage(strings.NewReader(script.received()[0]))
	if err != nil {
		t.Fatalf("ReadMessage() failed: %v", err)
	}
	decoded, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || decoded != m.Subject {
		t.Errorf("subject = %q, %v, want %q", decoded, err, m.Subject)
	}
	for name, want := range map[string]string{
		"To": "<alice@example.org>", "Reply-To": "<help@example.com>",
		"Message-Id": "<0123456789abcdef@example.com>", "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply",
		"User-Agent": "", "X-Mailer": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("header %s = %q, want %q", name, value, want)
		}
	}
	if from, err := got.Header.AddressList("From"); err != nil || *from[0] != m.From {
		t.Errorf("From = %v, %v, want %v", from, err, m.From)
	}
	kinds, bodies := parts(t, got)
	if strings.Join(kinds, " ") != "text/plain text/html" {
		t.Errorf("parts = %v, want the plainest first (RFC 2046, section 5.1.4)", kinds)
	}
	if text := strings.ReplaceAll(bodies[0], "\r\n", "\n"); text != m.Text {
		t.Errorf("text = %q, want %q", text, m.Text)
	}
}

// An address that is not a dot-atom is quoted (RFC 5321, section 4.1.2).
func TestSMTPQuotesAddresses(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), nil)
	composer := testComposer(t)
	composer.from.Address = ".login.@docomo.ne.jp"
	m, err := composer.compose(testMail("a..b@docomo.ne.jp", noon), stamp{})
	if err != nil {
		t.Fatalf("compose() failed: %v", err)
	}
	if err := transport.Deliver(shortly(t), m); err != nil {
		t.Fatalf("Deliver() failed: %v", err)
	}
	for _, want := range []string{`MAIL FROM:<".login."@docomo.ne.jp>`, `RCPT TO:<"a..b"@docomo.ne.jp>`} {
		if said := script.said(); !strings.Contains(said, want) {
			t.Errorf("commands =\n%s, want %s", said, want)
		}
	}
	if mail := script.received()[0]; !strings.Contains(mail, "To: <\"a..b\"@docomo.ne.jp>") {
		t.Errorf("mail =\n%s, want a quoted recipient", mail)
	}
}

// parts parses a multipart mail; package multipart decodes quoted-printable.
func parts(t *testing.T, m *netmail.Message) (kinds, bodies []string) {
	t.Helper()
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("ParseMediaType() failed: %v", err)
	}
	reader := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return kinds, bodies
		}
		if err != nil {
			t.Fatalf("NextPart() failed: %v", err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatalf("ReadAll() failed: %v", err)
		}
		kinds, bodies = append(kinds, kind), append(bodies, string(body))
	}
}

func TestSMTPModesAndMechanisms(t *testing.T) {
	ca := loopbackCA(t)
	for name, tt := range map[string]struct {
		script *smtpScript
		want   string
	}{
		"starttls and plain":  {&smtpScript{tls: ca.server, user: "u", pass: "p", extensions: []string{"AUTH LOGIN PLAIN"}}, "AUTH PLAIN"},
		"implicit and login":  {&smtpScript{tls: ca.server, implicit: true, user: "u", pass: "p", extensions: []string{"AUTH LOGIN"}}, "AUTH LOGIN"},
		"loopback in clear":   {&smtpScript{user: "u", pass: "p", extensions: []string{"AUTH PLAIN"}}, "AUTH PLAIN"},
		"without credentials": {&smtpScript{tls: ca.server, extensions: []string{"AUTH PLAIN"}}, "STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			transport := newTestSMTP(t, tt.script.start(t), func(c *SMTPConfig) { c.TLSConfig = &tls.Config{RootCAs: ca.pool} })
			if err := deliver(t, transport); err != nil {
				t.Fatalf("deliver() failed: %v", err)
			}
			if said := tt.script.said(); !strings.Contains(said, tt.want) || len(tt.script.received()) != 1 {
				t.Errorf("no %q in\n%s", tt.want, said)
			}
		})
	}
}

func TestSMTPFaults(t *testing.T) {
	at := func(verb, reply string) func(int, string, string) string {
		return func(_ int, v, _ string) string {
			if v == verb {
				return reply
			}
			return ""
		}
	}
	for name, tt := range map[string]struct {
		reply func(int, string, string) string
		want  DeliveryError
	}{
		"421 greeting": {at("GREETING", "421 4.3.2 too busy"), DeliveryError{Stage: "greeting", Status: 421, Enhanced: "4.3.2", Reason: "problem of the mail system"}},
		"554 greeting": {at("GREETING", "554 no"), DeliveryError{Stage: "greeting", Status: 554, Reason: "the transaction failed"}},
		"EHLO dropped": {at("EHLO", replyDrop), DeliveryError{Stage: "greeting", Reason: "the server closed the connection"}},
		"greylisted":   {at("RCPT", "450 4.2.0 come back"), DeliveryError{Stage: "recipient", Status: 450, Enhanced: "4.2.0", Reason: "mailbox problem"}},
		"unknown":      {at("RCPT", "550 5.1.1 no such user"), DeliveryError{Permanent: true, Stage: "recipient", Status: 550, Enhanced: "5.1.1", Reason: "the recipient address does not exist"}},
		"sender":       {at("MAIL", "553 not yours"), DeliveryError{Stage: "sender", Status: 553, Reason: "the address is refused"}},
		"DATA refused": {at("DATA", "451 later"), DeliveryError{Stage: "data", Status: 451, Reason: "local error of the server"}},
		"content":      {at(".", "554 5.6.0 spam"), DeliveryError{Permanent: true, Stage: "content", Status: 554, Enhanced: "5.6.0", Reason: "the content is refused"}},
		"end dropped":  {at(".", replyDrop), DeliveryError{Unknown: true, Stage: "content", Reason: "the server closed the connection"}},
		"no SMTP":      {at("GREETING", "HTTP/1.1 400 Bad Request"), DeliveryError{Stage: "greeting", Reason: "the reply is not valid SMTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			script := &smtpScript{reply: tt.reply}
			err := deliver(t, newTestSMTP(t, script.start(t), nil))
			var failure *DeliveryError
			if !errors.As(err, &failure) || *failure != tt.want {
				t.Errorf("Deliver() failed with\n%#v, want\n%#v", failure, tt.want)
			}
		})
	}
}

func TestSMTPDropInsideData(t *testing.T) {
	script := &smtpScript{reply: func(n int, verb, _ string) string {
		if n == 1 && verb == "DATA" {
			return replyDropInside
		}
		return ""
	}}
	transport := newTestSMTP(t, script.start(t), nil)
	m := testMessage()
	m.Text = strings.Repeat("a long line of text\n", 100_000)
	var failure *DeliveryError
	if err := transport.Deliver(shortly(t), m); !errors.As(err, &failure) || failure.Permanent || failure.Stage != "data" || failure.Unknown {
		t.Fatalf("Deliver() failed with %v, want a temporary failure", err)
	}
	if err := deliver(t, transport); err != nil {
		t.Fatalf("Deliver() after the drop failed: %v", err)
	}
}

func TestSMTPNothingListens(t *testing.T) {
	script := &smtpScript{}
	server := script.start(t)
	script.stop()
	var failure *DeliveryError
	if err := deliver(t, newTestSMTP(t, server, nil)); !errors.As(err, &failure) || failure.Permanent || failure.Stage != "connect" {
		t.Fatalf("Deliver() failed with %v, want a temporary failure", err)
	}
}

func TestSMTPKeepsToTheContext(t *testing.T) {
	for _, verb := range []string{"GREETING", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "."} {
		t.Run(verb, func(t *testing.T) {
			ca := loopbackCA(t)
			reached := make(chan struct{})
			script := &smtpScript{tls: ca.server, reply: func(_ int, v, _ string) string {
				if v == verb {
					close(reached)
					return replyHang
				}
				return ""
			}}
			transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.TLSConfig = &tls.Config{RootCAs: ca.pool} })
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- transport.Deliver(ctx, testMessage()) }()
			receive(t, reached)
			cancel()
			var failure *DeliveryError
			if err := receive(t, done); !errors.As(err, &failure) || failure.Reason != "canceled" {
				t.Errorf("Deliver() failed with %v, want a canceled delivery", err)
			}
		})
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	good := SMTPServer{Host: "mail.example.com", Port: 587, TLS: TLSStartTLS}
	for name, config := range map[string]SMTPConfig{
		"no server":      {},
		"blank in HELO":  {Server: good, HELO: "a b"},
		"lines in HELO":  {Server: good, HELO: "a\r\nMAIL FROM:<x@y>"},
		"open literal":   {Server: good, HELO: "[192.0.2.1"},
		"negative":       {Server: good, Connections: -1},
		"clear and user": {Server: SMTPServer{Host: "mail.example.com", Port: 25, TLS: TLSNone, User: "u", Password: "p"}},
	} {
		if _, err := NewSMTP(config); err == nil {
			t.Errorf("%s: NewSMTP() succeeded, want an error", name)
		}
	}
	for _, helo := range []string{"", "mail.example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]"} {
		if _, err := NewSMTP(SMTPConfig{Server: good, HELO: helo}); err != nil {
			t.Errorf("NewSMTP() with HELO %q failed: %v", helo, err)
		}
	}
}

func TestEncodeRefusesForeignRecipients(t *testing.T) {
	for _, to := range []string{"", "alice", "a@b.example\r\nRCPT TO:<c@d.example>", "a@b.example\x00", "<a@b.example>", "A <a@b.example>"} {
		m := testMessage()
		m.To = to
		if content, err := encode(m); err == nil {
			t.Errorf("encode() for %q =\n%s\nwant an error", to, bytes.TrimSpace(content))
		}
	}
}
