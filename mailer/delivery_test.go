package mailer

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSessionLimit uses servers that accept 3 mails on a connection and refuse further
// ones in different ways. All mails are delivered without a failed attempt.
func TestSessionLimit(t *testing.T) {
	for name, refusal := range map[string]struct{ verb, reply string }{
		"452 at MAIL":            {"MAIL", "452 4.5.3 too many mails"},
		"421 at MAIL":            {"MAIL", "421 4.7.0 too many mails"},
		"503 at MAIL":            {"MAIL", "503 5.5.1 out of sequence"},
		"530 at MAIL":            {"MAIL", "530 5.7.0 authentication required"},
		"550 at MAIL":            {"MAIL", "550 5.4.5 daily limit"},
		"554 at MAIL":            {"MAIL", "554 5.7.1 denied"},
		"code only":              {"MAIL", "550"},
		"dropped at MAIL":        {"MAIL", replyDrop},
		"452 at RCPT":            {"RCPT", "452 4.5.3 too many recipients"},
		"421 at RCPT":            {"RCPT", "421 4.3.2 closing"},
		"503 at RCPT":            {"RCPT", "503 bad sequence"},
		"421 at DATA":            {"DATA", "421 closing"},
		"dropped at DATA":        {"DATA", replyDrop},
		"450 with protocol code": {"RCPT", "450 4.5.3 too many"},
		"out of step at RCPT":    {"RCPT", "354 continue"},
		"out of step at DATA":    {"DATA", "250 2.1.5 ok"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			mails := map[int]int{} // by connection
			script := &smtpScript{reply: func(n int, verb, _ string) string {
				mu.Lock()
				defer mu.Unlock()
				if verb == refusal.verb && mails[n] == 3 {
					return refusal.reply
				}
				if verb == "." {
					mails[n]++
				}
				return ""
			}}
			transport := newTestSMTP(t, script.start(t), nil)
			for range 20 {
				mustDeliver(t, transport)
			}
			if got := len(script.received()); got != 20 || script.dialed() != 7 {
				t.Errorf("mails = %d, connections = %d, want 20, 7", got, script.dialed())
			}
		})
	}
}

// TestRefusalOfANewConnection is a temporary failure, whatever the code: MAIL does not
// concern the recipient or the content.
func TestRefusalOfANewConnection(t *testing.T) {
	for _, reply := range []string{"452 4.5.3 too many", "503 no", "530 5.7.0 no", "550 5.4.5 no", "554 no", "550"} {
		script := &smtpScript{reply: func(_ int, verb, _ string) string {
			if verb == "MAIL" {
				return reply
			}
			return ""
		}}
		transport := newTestSMTP(t, script.start(t), nil)
		var failure *DeliveryError
		if err := deliver(t, transport); !errors.As(err, &failure) || failure.Permanent || failure.Stage != "sender" {
			t.Errorf("%s: Deliver() failed with %v, want a temporary failure", reply, err)
		}
		if script.dialed() != 1 || !strings.Contains(script.said(), "QUIT") || len(transport.pool.idle) != 0 {
			t.Errorf("%s: connections = %d, kept = %d, commands =\n%s", reply, script.dialed(), len(transport.pool.idle), script.said())
		}
	}
}

// TestCommandTimeouts lets the server hang at each command. The timeout of the command
// ends the delivery; before it, the client waits.
func TestCommandTimeouts(t *testing.T) {
	for verb, timeout := range map[string]time.Duration{
		"GREETING": commandTimeout, "EHLO": commandTimeout, "MAIL": commandTimeout, "RCPT": commandTimeout, "DATA": dataTimeout,
	} {
		t.Run(verb, func(t *testing.T) {
			reached := make(chan struct{})
			script := &smtpScript{reply: func(_ int, v, _ string) string {
				if v == verb {
					close(reached)
					return replyHang
				}
				return ""
			}}
			clock := newFakeClock()
			transport := newTestSMTP(t, script.start(t), clocked(clock))
			done := make(chan error, 1)
			go func() { done <- deliver(t, transport) }()
			receive(t, reached)
			clock.awaitTimer(t, timeout)
			clock.Advance(timeout - time.Second)
			select {
			case err := <-done:
				t.Fatalf("Deliver() ended early with %v", err)
			default:
			}
			clock.Advance(time.Second)
			var failure *DeliveryError
			if err := receive(t, done); !errors.As(err, &failure) || failure.Reason != "timed out" || failure.Unknown {
				t.Errorf("Deliver() failed with %v, want a timeout", err)
			}
		})
	}
}

// TestUnknownOutcomeIsNotSentAgain ends the connection after the content, in different
// ways.
func TestUnknownOutcomeIsNotSentAgain(t *testing.T) {
	for name, reply := range map[string]string{
		"dropped": replyDrop, "not a reply": "what?", "the reply to DATA": "354 continue",
		"accepted and refused": "250-2.0.0 queued\n451 4.3.0 later", "refused and accepted": "550-5.7.1 no\n250 2.0.0 queued",
	} {
		script := &smtpScript{reply: func(_ int, verb, _ string) string {
			if verb == "." {
				return reply
			}
			return ""
		}}
		r := newRig(t, newTestSMTP(t, script.start(t), nil), nil)
		r.enqueue(t, r.mail("alice@example.org"))
		if o := r.expect(t, Unknown); o.Attempts != 1 || r.Len() != 0 {
			t.Errorf("%s: attempts = %d, Len() = %d, want 1, 0", name, o.Attempts, r.Len())
		}
	}
}

// TestUnsentContent ends the connection before the end of the content was taken. The
// mail cannot have arrived, so another attempt follows.
func TestUnsentContent(t *testing.T) {
	for allowed := range 3 {
		client := newClient(&brokenConn{allowed: allowed, reader: strings.NewReader("354 continue\r\n")}, func() {}, afterFunc)
		content := []byte(strings.Repeat("0123456789\r\n", 700)) // more than one write
		if ended, err := client.data(content); ended || err == nil {
			t.Errorf("data() with %d writes = %v, %v, want false and an error", allowed, ended, err)
		}
	}
}

// brokenConn fails after some writes.
type brokenConn struct {
	net.Conn
	reader  *strings.Reader
	allowed int
}

func (c *brokenConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

func (c *brokenConn) Write(p []byte) (int, error) {
	if c.allowed--; c.allowed < 0 {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

// TestHELODefault sends a host name with a dot, otherwise the address of the
// connection: servers refuse other names (504).
func TestHELODefault(t *testing.T) {
	script := &smtpScript{}
	server := script.start(t)
	transport, err := NewSMTP(SMTPConfig{Server: server})
	if err != nil {
		t.Fatalf("NewSMTP() failed: %v", err)
	}
	t.Cleanup(func() { _ = transport.Close() })
	mustDeliver(t, transport)
	want := "EHLO [127.0.0.1]"
	if name, _ := os.Hostname(); strings.Contains(name, ".") && validHELO(name) {
		want = "EHLO " + name
	}
	if said := script.said(); !strings.HasPrefix(said, want+"\n") {
		t.Errorf("commands =\n%s\nwant %s", said, want)
	}
	for address, want := range map[net.Addr]string{
		&net.TCPAddr{IP: net.ParseIP("192.0.2.1")}:             "[192.0.2.1]",
		&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1")}:      "[192.0.2.1]",
		&net.TCPAddr{IP: net.ParseIP("2001:db8::1")}:           "[IPv6:2001:db8::1]",
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}: "[IPv6:fe80::1]",
		&net.UnixAddr{Name: "/run/smtp.sock", Net: "unix"}:     "[IPv6:::]",
	} {
		if got := addressLiteral(address); got != want || !validHELO(got) {
			t.Errorf("addressLiteral(%v) = %q, want %q", address, got, want)
		}
	}
}

// TestMechanisms covers CRAM-MD5, XOAUTH2, the form AUTH= of old servers, and the
// configured mechanism.
func TestMechanisms(t *testing.T) {
	for _, test := range []struct {
		offered []string
		auth    string
		want    string // the beginning of the command, or "" for a failure
	}{
		{[]string{"AUTH=LOGIN PLAIN"}, "", "AUTH PLAIN"},
		{[]string{"AUTH=LOGIN"}, "", "AUTH LOGIN"},
		{[]string{"auth login"}, "", "AUTH LOGIN"},
		{[]string{"AUTH PLAIN", "AUTH=LOGIN"}, "login", "AUTH LOGIN"},
		{[]string{"AUTH PLAIN LOGIN CRAM-MD5"}, "", "AUTH PLAIN"},
		{[]string{"AUTH CRAM-MD5"}, "", "AUTH CRAM-MD5"},
		{[]string{"AUTH PLAIN CRAM-MD5"}, "cram-md5", "AUTH CRAM-MD5"},
		{[]string{"AUTH LOGIN PLAIN XOAUTH2"}, "xoauth2", "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString([]byte("user=u\x01auth=Bearer p\x01\x01"))},
		{[]string{"AUTH PLAIN"}, "xoauth2", ""},
		{[]string{"AUTH NTLM"}, "", ""},
		{nil, "", ""},
	} {
		script := &smtpScript{user: "u", pass: "p", extensions: test.offered}
		transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.Auth = test.auth })
		err := deliver(t, transport)
		said := script.said()
		switch {
		case test.want == "" && (err == nil || strings.Contains(said, "\nAUTH")):
			t.Errorf("offered %q, auth %q: Deliver() failed with %v, want no authentication", test.offered, test.auth, err)
		case test.want != "" && (err != nil || !strings.Contains(said, test.want)):
			t.Errorf("offered %q, auth %q: Deliver() failed with %v, commands =\n%s\nwant %s", test.offered, test.auth, err, said, test.want)
		}
	}
	if _, err := NewSMTP(SMTPConfig{Server: SMTPServer{Host: "a.example", Port: 587, TLS: TLSStartTLS}, Auth: "ntlm"}); err == nil {
		t.Error("NewSMTP() with auth ntlm succeeded, want an error")
	}
}

// TestLoadCA connects to a server of a private authority.
func TestLoadCA(t *testing.T) {
	ca := loopbackCA(t)
	path := filepath.Join(t.TempDir(), "ca.pem")
	certificate := ca.server.Certificates[0].Certificate[0]
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		t.Fatalf("WriteFile() failed: %v", err)
	}
	config, err := LoadCA(path)
	if err != nil {
		t.Fatalf("LoadCA() failed: %v", err)
	}
	script := &smtpScript{tls: ca.server}
	server := script.start(t)
	mustDeliver(t, newTestSMTP(t, server, func(c *SMTPConfig) { c.TLSConfig = config }))
	if err := deliver(t, newTestSMTP(t, server, func(c *SMTPConfig) { c.TLSConfig = &tls.Config{} })); err == nil {
		t.Error("Deliver() without the authority succeeded, want an error")
	}
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatalf("WriteFile() failed: %v", err)
	}
	for _, path := range []string{path, filepath.Join(t.TempDir(), "missing")} {
		if _, err := LoadCA(path); err == nil {
			t.Errorf("LoadCA(%s) succeeded, want an error", path)
		}
	}
}
