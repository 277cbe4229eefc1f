package mailer

import (
	"context"
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

// TestPermanence lists refusals that concern the recipient or the content, and others.
func TestPermanence(t *testing.T) {
	for _, test := range []struct {
		verb, reply string
		want        bool
	}{
		{"RCPT", "550 5.1.1 unknown", true},
		{"RCPT", "550 unknown", true},
		{"RCPT", "550", true},
		{"RCPT", "553 address", true},
		{"RCPT", "501 5.1.3 syntax", true},
		{"RCPT", "552 5.2.2 full", true},
		{"RCPT", "450 4.2.1 later", false},
		{"RCPT", "503 sequence", false},
		{"RCPT", "530 5.7.0 authenticate", false},
		{"RCPT", "550 5.4.5 routing", false},
		{"RCPT", "554 5.3.0 system", false},
		{"DATA", "554 5.5.1 no recipients", false},
		{"DATA", "554 no", true},
		{".", "554 5.7.1 spam", true},
		{".", "552 5.3.4 too big", false},
		{".", "451 later", false},
	} {
		script := &smtpScript{reply: func(_ int, verb, _ string) string {
			if verb == test.verb {
				return test.reply
			}
			return ""
		}}
		var failure *DeliveryError
		err := deliver(t, newTestSMTP(t, script.start(t), nil))
		if !errors.As(err, &failure) || failure.Permanent != test.want || failure.Unknown {
			t.Errorf("%s after %s: Deliver() failed with %v, want Permanent = %v", test.reply, test.verb, err, test.want)
		}
	}
}

// TestRepliesWithoutText accepts codes without text at every command (RFC 5321,
// section 4.2).
func TestRepliesWithoutText(t *testing.T) {
	codes := map[string]string{"GREETING": "220", "EHLO": "250", "MAIL": "250", "RCPT": "250", "DATA": "", ".": "250", "QUIT": "221", "RSET": "250"}
	script := &smtpScript{}
	script.reply = func(_ int, verb, _ string) string { return codes[verb] }
	transport := newTestSMTP(t, script.start(t), nil)
	// The script notes mails with the usual reply only; the end of the content counts.
	mustDeliver(t, transport)
	mustDeliver(t, transport)
	if got := strings.Count(script.said(), "DATA"); got != 2 || script.dialed() != 1 {
		t.Errorf("DATA commands = %d, connections = %d, want 2, 1", got, script.dialed())
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

// TestFinalReply waits for the reply to the content until the context ends. Without a
// reply the outcome is unknown.
func TestFinalReply(t *testing.T) {
	reached := make(chan struct{})
	script := &smtpScript{reply: func(_ int, verb, _ string) string {
		if verb == "." {
			close(reached)
			return replyHang
		}
		return ""
	}}
	clock := newFakeClock()
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- transport.Deliver(ctx, testMessage()) }()
	receive(t, reached)
	clock.Advance(time.Hour)
	select {
	case err := <-done:
		t.Fatalf("Deliver() ended early with %v", err)
	default:
	}
	cancel()
	var failure *DeliveryError
	if err := receive(t, done); !errors.As(err, &failure) || !failure.Unknown || failure.Permanent {
		t.Errorf("Deliver() failed with %v, want an unknown outcome", err)
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

// TestUnusualReplies accepts replies that RFC 5321 does not allow and servers send:
// lines of a banner without a code, codes of one class in one reply, long lines, and
// two replies to one command. The connection stays usable.
func TestUnusualReplies(t *testing.T) {
	long := strings.Repeat("x", 2*maxReplyLine)
	for _, test := range []struct{ verb, reply string }{
		{"GREETING", "220-test\n*** authorized use only ***\n\n220 ready"},
		{"GREETING", "220 " + long},
		{"EHLO", "250-test\nwelcome\n250 SIZE 1000"},
		{"EHLO", "250-" + long + "\n250 SIZE"},
		{"MAIL", "250-2.1.0 a\n251 b"},
		{"RCPT", "250-2.1.5 a\n251 2.1.5 b"},
		{"RCPT", "550-a\n250 2.1.5 b"},
		{"EHLO", "250 test\n250 test"},
		{"MAIL", "250 ok\n250 ok"},
		{"RCPT", "250 ok\n250 ok"},
	} {
		script := &smtpScript{reply: func(_ int, verb, _ string) string {
			if verb == test.verb {
				return test.reply
			}
			return ""
		}}
		transport := newTestSMTP(t, script.start(t), nil)
		for i := range 2 {
			if err := deliver(t, transport); err != nil {
				t.Errorf("Deliver() %d with %.40q at %s = %v, want nil", i+1, test.reply, test.verb, err)
			}
		}
		if got := len(script.received()); got != 2 || script.dialed() != 1 {
			t.Errorf("%.40q at %s: mails = %d, connections = %d, want 2, 1", test.reply, test.verb, got, script.dialed())
		}
	}
}

// TestSurplusReplyToTheContent does not take a second reply to the content for the reply
// to the next command.
func TestSurplusReplyToTheContent(t *testing.T) {
	script := &smtpScript{}
	script.reply = func(_ int, verb, _ string) string {
		if verb == "." {
			return "250 2.0.0 queued\n250 2.0.0 queued"
		}
		return ""
	}
	transport := newTestSMTP(t, script.start(t), nil)
	for range 3 {
		mustDeliver(t, transport)
	}
	if script.dialed() != 1 {
		t.Errorf("connections = %d, want 1", script.dialed())
	}
}

// TestLongRefusals reads the code of a refusal whose text exceeds a line.
func TestLongRefusals(t *testing.T) {
	for _, verb := range []string{"RCPT", "."} {
		script := &smtpScript{reply: func(_ int, v, _ string) string {
			if v == verb {
				return "550-5.7.1 " + strings.Repeat("x", 3*maxReplyLine) + "\n550 5.7.1 spam"
			}
			return ""
		}}
		var failure *DeliveryError
		err := deliver(t, newTestSMTP(t, script.start(t), nil))
		if !errors.As(err, &failure) || !failure.Permanent || failure.Unknown || failure.Enhanced != "5.7.1" {
			t.Errorf("Deliver() with a long refusal at %s = %v, want a permanent failure with 5.7.1", verb, err)
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

func TestParseReplyLine(t *testing.T) {
	for _, test := range []struct {
		line, text string
		code       int
		more, ok   bool
	}{
		{"250 2.0.0 ok", "2.0.0 ok", 250, false, true},
		{"250-PIPELINING", "PIPELINING", 250, true, true},
		{"250", "", 250, false, true},
		{"250 ", "", 250, false, true},
		{"250-", "", 250, true, true},
		{"25", "", 0, false, false},
		{"", "", 0, false, false},
		{"1x0 a", "", 0, false, false},
		{"150 a", "", 0, false, false},
		{"650 a", "", 0, false, false},
		{"2500", "0", 250, false, false},
		{"HTTP/1.1 400 Bad Request", "", 0, false, false},
	} {
		code, text, more, ok := parseReplyLine(test.line)
		if ok != test.ok || ok && (code != test.code || text != test.text || more != test.more) {
			t.Errorf("parseReplyLine(%q) = %d, %q, %v, %v, want %+v", test.line, code, text, more, ok, test)
		}
	}
}

// FuzzReadReply checks that replies are limited and have a valid code.
func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"250 ok\r\n", "250\r\n", "250-a\r\n250 b\r\n", "250-a\n251 b\n", "354\n", "2\x00\n", "250-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := newClient(readOnly{reader: strings.NewReader(text)}, func() {}, afterFunc)
		r, err := c.readReply()
		if err == nil && (r.code < 200 || r.code > 599 || len(r.lines) == 0) {
			t.Errorf("readReply(%q) = %+v, want a valid reply", text, r)
		}
	})
}

// readOnly is a connection that returns a text.
type readOnly struct {
	net.Conn
	reader *strings.Reader
}

func (r readOnly) Read(p []byte) (int, error) { return r.reader.Read(p) }
