package mailer

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

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
		{"RCPT", "550 4.7.1 greylisted", false},
		{"RCPT", "550 #5.4.5 routing", false},
		{"RCPT", "550 5.4.5: routing", false},
		{"RCPT", "550 5.4.5", false},
		{".", "554 4.3.0 system", false},
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
