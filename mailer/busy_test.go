package mailer

import (
	"strings"
	"testing"
)

// A server that is too busy answers 421 instead of a greeting (RFC 5321, sections 3.8 and
// 4.2.1). The mail is sent on a new connection after a pause of at most two seconds, and
// the log contains the reply and the pause.
func TestBusyServerGetsTheMailLater(t *testing.T) {
	script := &smtpScript{reply: func(n int, verb, _ string) string {
		if n == 1 && verb == "GREETING" {
			return "421 4.3.2 too busy"
		}
		return ""
	}}
	r := newRig(t, newTestSMTP(t, script.start(t), nil), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Retried)
	r.clock.awaitTimers(t, 1)
	logs := r.logs.String()
	for _, want := range []string{"mail not delivered", "retried after the pause", "pause=", "stage=greeting", "status=421", "problem of the mail system"} {
		if !strings.Contains(logs, want) {
			t.Errorf("logs lack %q:\n%s", want, logs)
		}
	}
	r.clock.Advance(firstPause)
	if o := r.expect(t, Sent); o.Attempts != 2 || o.Age > firstPause {
		t.Errorf("outcome = %+v, want 2 attempts within %s", o, firstPause)
	}
}
