package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestHeaderInjection uses client names that end the Subject and begin another header
// or mail (CWE-93; RFC 5322, section 2.2).
func TestHeaderInjection(t *testing.T) {
	templates, err := mustLoad(t, "").WithSubject("Log in to {{.Client}}")
	if err != nil {
		t.Fatalf("WithSubject() failed: %v", err)
	}
	for _, client := range []string{
		"web\r\nBcc: eve@example.net", "web\nBcc: eve@example.net", "web\rBcc: eve@example.net", "web\r\n\r\n.\r\nMAIL FROM:<eve@example.net>",
		"web\u2028Bcc: eve@example.net", "web\x00\x0bBcc: eve@example.net", "web\u0085Bcc: eve@example.net",
	} {
		mail := testMail("alice@example.org", noon)
		mail.Client = client
		c := testComposer(t)
		c.templates = templates
		m, err := c.compose(mail, stamp{})
		if err != nil {
			t.Fatalf("compose() failed: %v", err)
		}
		script := &smtpScript{}
		if err := newTestSMTP(t, script.start(t), nil).Deliver(shortly(t), m); err != nil {
			t.Fatalf("Deliver() failed: %v", err)
		}
		got, err := netmail.ReadMessage(strings.NewReader(script.received()[0]))
		if err != nil {
			t.Fatalf("ReadMessage() failed: %v", err)
		}
		if got.Header.Get("Bcc") != "" || !strings.HasPrefix(got.Header.Get("Subject"), "Log in to web") || strings.Count(script.said(), "MAIL FROM") != 1 {
			t.Errorf("client %q: headers = %v, commands =\n%s", client, got.Header, script.said())
		}
	}
}

// TestHeaderInjectionByTemplate uses a template that breaks the line with some values
// only.
func TestHeaderInjectionByTemplate(t *testing.T) {
	templates, err := mustLoad(t, "").WithSubject("Log in{{if eq .Minutes 60}}\r\nBcc: eve@example.net{{end}}")
	if err != nil {
		t.Fatalf("mustLoad() failed: %v", err)
	}
	mail := testMail("alice@example.org", noon)
	mail.Lifetime = time.Hour
	content, err := templates.Render(mail)
	if err != nil || strings.ContainsAny(content.Subject, "\r\n") {
		t.Errorf("Render() = subject %q, %v, want one line", content.Subject, err)
	}
}

// TestContentEndsWhereItEnds sends lines with a single dot, which end the content in
// some servers; the rest would be commands (SMTP smuggling, CVE-2023-51764).
func TestContentEndsWhereItEnds(t *testing.T) {
	for _, text := range []string{
		"a\r\n.\r\nMAIL FROM:<eve@example.net>\r\n", "a\n.\nMAIL FROM:<eve@example.net>\n", "a\n.\r\nMAIL FROM:<eve@example.net>\r\n",
		"a\r.\rMAIL FROM:<eve@example.net>\r", "a\r\n.\rMAIL FROM:<eve@example.net>\r\n",
	} {
		script := &smtpScript{}
		transport := newTestSMTP(t, script.start(t), nil)
		m := testMessage()
		m.Text = text
		if err := transport.Deliver(shortly(t), m); err != nil {
			t.Fatalf("Deliver() failed: %v", err)
		}
		mustDeliver(t, transport)
		raw := strings.Join(script.received(), "")
		if strings.Contains(script.said(), "eve@") || len(script.received()) != 2 || strings.Contains(raw, "\r") {
			t.Errorf("text %q: number of mails = %d, commands =\n%s", text, len(script.received()), script.said())
		}
	}
}

// TestHTMLInjection uses values and links that contain markup (CWE-79).
func TestHTMLInjection(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><a href=https://evil.example>`, `{{.Code}}`, `</p><style>*{display:none}`,
	} {
		mail := testMail("alice@example.org", noon)
		mail.Client, mail.Code = hostile, hostile
		content, err := mustLoad(t, "").Render(mail)
		if err != nil {
			t.Fatalf("mustLoad() failed: %v", err)
		}
		for _, part := range []string{"<script", "<img", "<a href=https://evil", "</p><style>"} {
			if strings.Contains(content.HTML, part) {
				t.Errorf("the HTML for %q contains %q", hostile, part)
			}
		}
	}
	for _, link := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:x", "view-source:x", "about:blank",
		`https://a.example/"onmouseover="alert(1)`, "https://a.example/<script>", "https://a.example/'x", "https://a.example/\nx", "https://a.example/ x",
		"https://a.example/\u202ex", "//a.example/x", "/x", "", "\tjavascript:alert(1)", "java\nscript:alert(1)", `https://a.example\@evil.example`,
	} {
		mail := testMail("alice@example.org", noon)
		mail.Link = link
		if content, err := mustLoad(t, "").Render(mail); !errors.Is(err, errLink) {
			t.Errorf("Render(%q) failed with %v, want %v\n%s", link, err, errLink, content.HTML)
		}
	}
}

// TestTextInjection uses line breaks and bidirectional controls, which could forge text.
func TestTextInjection(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Client = "web\n\nYour account was hacked, call\u202e +1 555"
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatalf("mustLoad() failed: %v", err)
	}
	if !strings.Contains(content.Text, "Requested in: web Your account was hacked, call +1 555\n") {
		t.Errorf("text =\n%s", content.Text)
	}
}

// TestStrippedSTARTTLSIsRefused removes STARTTLS from the reply, as an attacker on the
// network can. Mail and password must not be sent in the clear (RFC 3207, section 6;
// CWE-757).
func TestStrippedSTARTTLSIsRefused(t *testing.T) {
	for name, script := range map[string]*smtpScript{
		"not offered": {user: "user", pass: "hunter2", extensions: []string{"AUTH PLAIN"}},
		"HELO only": {user: "user", pass: "hunter2", reply: func(_ int, verb, _ string) string {
			if verb == "EHLO" {
				return "502 what?"
			}
			return ""
		}},
		"refused": {user: "user", pass: "hunter2", tls: loopbackCA(t).server, extensions: []string{"AUTH PLAIN"}, reply: func(_ int, verb, _ string) string {
			if verb == "STARTTLS" {
				return "454 not now"
			}
			return ""
		}},
	} {
		server := script.start(t)
		server.TLS = TLSStartTLS
		var failure *DeliveryError
		err := deliver(t, newTestSMTP(t, server, nil))
		if !errors.As(err, &failure) || failure.Stage != stageTLS || failure.Permanent {
			t.Errorf("%s: Deliver() failed with %v, want a temporary failure of tls", name, err)
		}
		if said := script.said(); strings.Contains(said, "AUTH") || strings.Contains(said, "MAIL") {
			t.Errorf("%s: commands in the clear =\n%s", name, said)
		}
	}
}

// TestRepliesBeforeTLSAreRefused adds replies in the clear after the reply to STARTTLS.
// They must not count as replies of the authenticated server (CVE-2011-0411).
func TestRepliesBeforeTLSAreRefused(t *testing.T) {
	ca := loopbackCA(t)
	script := &smtpScript{tls: ca.server, user: "u", pass: "p", extensions: []string{"AUTH PLAIN"}, reply: func(_ int, verb, _ string) string {
		if verb == "STARTTLS" {
			return "220 go\n250-evil\n250 AUTH LOGIN"
		}
		return ""
	}}
	err := deliver(t, newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.TLSConfig = &tls.Config{RootCAs: ca.pool} }))
	var failure *DeliveryError
	if !errors.As(err, &failure) || failure.Stage != stageTLS || strings.Contains(script.said(), "AUTH") {
		t.Errorf("Deliver() failed with %v, commands =\n%s", err, script.said())
	}
}

// TestWrongCertificateIsRefused covers RFC 8314, section 3.
func TestWrongCertificateIsRefused(t *testing.T) {
	right, other, elsewhere := loopbackCA(t), loopbackCA(t), newTestCA(t, "mail.evil.example", nil)
	for name, tt := range map[string]struct {
		server, trust testCA
		implicit      bool
		reason        string
	}{
		"unknown authority":           {other, right, false, "the certificate is signed by an unknown authority"},
		"unknown authority, implicit": {other, right, true, "the certificate is signed by an unknown authority"},
		"other host":                  {elsewhere, elsewhere, false, "the certificate belongs to another host"},
		"other host, implicit":        {elsewhere, elsewhere, true, "the certificate belongs to another host"},
	} {
		script := &smtpScript{tls: tt.server.server, implicit: tt.implicit, user: "user", pass: "hunter2", extensions: []string{"AUTH PLAIN"}}
		err := deliver(t, newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.TLSConfig = &tls.Config{RootCAs: tt.trust.pool} }))
		var failure *DeliveryError
		if !errors.As(err, &failure) || failure.Stage != stageTLS || failure.Reason != tt.reason {
			t.Errorf("%s: Deliver() failed with %v, want %s", name, err, tt.reason)
		}
		if said := script.said(); strings.Contains(said, "AUTH") || strings.Contains(said, "MAIL") {
			t.Errorf("%s: commands =\n%s", name, said)
		}
	}
}

// TestCredentialsNeedTLS covers RFC 4954, section 4.
func TestCredentialsNeedTLS(t *testing.T) {
	server := SMTPServer{Host: "mail.example.com", Port: 25, User: "user", Password: "hunter2", TLS: TLSNone}
	if err := server.Validate(); err == nil {
		t.Error("Validate() succeeded, want a fault")
	}
	for _, mechanism := range []string{"PLAIN", "LOGIN", "XOAUTH2"} {
		if auth, err := newAuth(mechanism, server); err == nil {
			t.Errorf("newAuth(%s) = %T, want an error", mechanism, auth)
		}
	}
}

// TestEndlessReply sends replies that would fill the memory (CWE-770).
func TestEndlessReply(t *testing.T) {
	for _, answer := range []string{strings.Repeat("250-x\n", maxReplyBytes/4), "250 " + strings.Repeat("x", 2*maxReplyBytes)} {
		script := &smtpScript{reply: func(_ int, verb, _ string) string {
			if verb == "MAIL" {
				return answer
			}
			return ""
		}}
		var failure *DeliveryError
		if err := deliver(t, newTestSMTP(t, script.start(t), nil)); !errors.As(err, &failure) || failure.Reason != errEndless.reason {
			t.Errorf("Deliver() failed with %v, want %v", err, errEndless)
		}
	}
}

// TestNoSecretInLogs sends replies that repeat the address and forge log lines
// (CWE-532, CWE-117).
func TestNoSecretInLogs(t *testing.T) {
	echo := " <alice@example.org> https://frontend.app/auth/link/S3cretL1nk 987654 hunter2\x1b[31m level=ERROR"
	for verb, codes := range map[string][]string{
		"GREETING": {"421", "554"}, "EHLO": {"421"}, "AUTH": {"454 4.7.0", "535 5.7.8"}, "MAIL": {"451", "550 5.7.1"},
		"RCPT": {"450 4.2.1", "550 5.1.1", "550 5.987654.1", "599"}, "DATA": {"451", "554"}, ".": {"250", "451", "554 5.7.1"},
	} {
		for _, code := range codes {
			script := &smtpScript{user: "user", pass: "hunter2", extensions: []string{"AUTH PLAIN"}, reply: func(_ int, v, _ string) string {
				if v == verb {
					return code + echo
				}
				return ""
			}}
			r := newRig(t, newTestSMTP(t, script.start(t), nil), nil)
			r.enqueue(t, r.mail("alice@example.org"))
			receive(t, r.outcomes)
			_ = r.Close(canceled())
			if logs := r.logs.String(); !strings.Contains(logs, "level=") || strings.Contains(logs, "level=ERROR") || strings.Contains(logs, "\\x1b") {
				t.Errorf("%s %s: logs =\n%s", verb, code, logs)
			}
			wantNoSecrets(t, r.logs.String())
		}
	}
}

// TestNoSecretInTemplateErrors fails on a value, which errors of text/template may
// contain.
func TestNoSecretInTemplateErrors(t *testing.T) {
	templates := mustLoad(t, writeFiles(t, map[string]string{"text.txt": `{{if eq .Code "987654"}}{{index (slice .Code 0 6) 99}}{{template "x"}}{{end}}{{define "x"}}{{end}}`}))
	_, err := templates.Render(testMail("alice@example.org", noon))
	if err == nil || !strings.HasPrefix(err.Error(), "mailer: template failed: ") || !strings.HasSuffix(err.Error(), "text.txt") {
		t.Fatalf("Render() failed with %v, want the name of the template", err)
	}
}

// TestDecoysTakePlacesLikeMail: decoys keep their places for the same time as mails.
// Otherwise a client that fills the queue could recognize addresses that receive mail
// (CWE-204).
func TestDecoysTakePlacesLikeMail(t *testing.T) {
	decoyOf := func(mail authcore.Mail) authcore.Mail { mail.Decoy = true; return mail }

	t.Run("for the same time", func(t *testing.T) {
		var r *rig
		delivered := 0
		r = newRig(t, newFakeTransport(func(context.Context, *Message) error {
			delivered++
			r.clock.Advance(3 * time.Second)
			return nil
		}), func(c *QueueConfig) { c.Workers = 1 })
		r.enqueue(t, r.mail("alice@example.org"))
		r.expect(t, Sent)
		r.enqueue(t, decoyOf(r.mail("alice@example.org")))
		r.clock.awaitTimers(t, 3) // the decoy, its worker and its link
		r.clock.Advance(2 * time.Second)
		if r.Len() != 1 {
			t.Error("the decoy left its place early")
		}
		r.clock.Advance(time.Second)
		r.enqueue(t, r.mail("alice@example.org"))
		r.expect(t, Sent) // by the same worker, so the decoy is gone
		if delivered != 2 || r.Len() != 0 || len(r.outcomes) != 0 {
			t.Errorf("delivered = %d, places = %d, outcomes = %d, want 2, 0, 0", delivered, r.Len(), len(r.outcomes))
		}
	})
	t.Run("with retries", func(t *testing.T) {
		r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), func(c *QueueConfig) { c.Workers = 1 })
		r.enqueue(t, r.mail("alice@example.org"))
		r.expect(t, Retried)
		r.enqueue(t, decoyOf(r.mail("alice@example.org")))
		r.await(t, "the decoy waits", func() bool { return len(r.waiting) == 2 })
		if r.Len() != 2 {
			t.Errorf("Len() = %d, want 2", r.Len())
		}
	})
	t.Run("without delaying a shutdown", func(t *testing.T) {
		r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
		r.remember(attemptRecord{took: time.Hour, retry: true})
		for range 10 {
			r.enqueue(t, decoyOf(r.mail("alice@example.org")))
		}
		r.clock.awaitTimers(t, 3*DefaultWorkers)
		if err := r.Close(shortly(t)); err != nil {
			t.Errorf("Close() failed: %v", err)
		}
	})
}
