package mailer

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestAuthTriesTheNextMechanism uses servers that offer a mechanism and refuse it. After
// a mechanism that sends the password, wrong credentials are final.
func TestAuthTriesTheNextMechanism(t *testing.T) {
	const all = "AUTH CRAM-MD5 LOGIN XOAUTH2 PLAIN SCRAM-SHA-256"
	for name, test := range map[string]struct {
		offered, mechanism string
		refusals           map[string]string
		want               []string
		ok                 bool
	}{
		"all accepted after SCRAM":  {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "504 5.5.4 unknown"}, want: []string{"SCRAM-SHA-256", "PLAIN"}, ok: true},
		"SCRAM without stored keys": {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "535 5.7.8 no secret"}, want: []string{"SCRAM-SHA-256", "PLAIN"}, ok: true},
		"PLAIN too weak":            {offered: "AUTH PLAIN CRAM-MD5", refusals: map[string]string{"PLAIN": "534 5.7.9 too weak"}, want: []string{"PLAIN", "CRAM-MD5"}, ok: true},
		"PLAIN needs encryption":    {offered: "AUTH PLAIN CRAM-MD5", refusals: map[string]string{"PLAIN": "538 5.7.11 no"}, want: []string{"PLAIN", "CRAM-MD5"}, ok: true},
		"transition by PLAIN":       {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "432 4.7.12 transition"}, want: []string{"SCRAM-SHA-256", "PLAIN"}, ok: true},
		"only LOGIN works":          {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "500", "PLAIN": "502 5.5.1"}, want: []string{"SCRAM-SHA-256", "PLAIN", "LOGIN"}, ok: true},
		"wrong password":            {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "535 5.7.8", "PLAIN": "535 5.7.8", "LOGIN": "535 5.7.8"}, want: []string{"SCRAM-SHA-256", "PLAIN"}},
		"temporary failure":         {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "454 4.7.0 later"}, want: []string{"SCRAM-SHA-256"}},
		"closes the connection":     {offered: all, refusals: map[string]string{"SCRAM-SHA-256": "421 4.7.0 bye"}, want: []string{"SCRAM-SHA-256"}},
		"an application password":   {offered: "AUTH LOGIN PLAIN XOAUTH2", refusals: map[string]string{"PLAIN": "534 5.7.9", "LOGIN": "534 5.7.9"}, want: []string{"PLAIN", "LOGIN"}},
		"configured":                {offered: all, mechanism: "cram-md5", refusals: map[string]string{"CRAM-MD5": "504"}, want: []string{"CRAM-MD5"}},
		"only XOAUTH2":              {offered: "AUTH XOAUTH2", want: []string{"XOAUTH2"}, ok: true},
	} {
		script := &smtpScript{user: "u", pass: "p", extensions: []string{test.offered}}
		script.reply = func(_ int, verb, line string) string {
			if verb != "AUTH" {
				return ""
			}
			return test.refusals[strings.Fields(line)[1]]
		}
		transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.Auth, c.MaxUses = test.mechanism, 1 })
		err := deliver(t, transport)
		if got := triedMechanisms(script); (err == nil) != test.ok || !slices.Equal(got, test.want) {
			t.Errorf("%s: Deliver() = %v after %v, want %v, success = %v", name, err, got, test.want, test.ok)
		}
		var failure *DeliveryError
		if err != nil && (!errors.As(err, &failure) || failure.Stage != stageAuth || failure.Permanent) {
			t.Errorf("%s: Deliver() = %v, want a temporary failure of auth", name, err)
		}
		if !test.ok {
			continue
		}
		// The next connection begins with the accepted mechanism.
		mustDeliver(t, transport)
		want := append(slices.Clone(test.want), test.want[len(test.want)-1])
		if got := triedMechanisms(script); !slices.Equal(got, want) {
			t.Errorf("%s: mechanisms of two connections = %v, want %v", name, got, want)
		}
	}
}

// TestAuthContinuesOnTheNextConnection uses a server that closes the connection after a
// refused mechanism.
func TestAuthContinuesOnTheNextConnection(t *testing.T) {
	script := &smtpScript{user: "u", pass: "p", extensions: []string{"AUTH PLAIN SCRAM-SHA-256"}}
	script.reply = func(n int, verb, line string) string {
		switch {
		case verb == "AUTH" && strings.Contains(line, "SCRAM"):
			return "535 5.7.8 no secret"
		case verb == "AUTH" && n == 1:
			return replyDrop
		}
		return ""
	}
	transport := newTestSMTP(t, script.start(t), nil)
	if err := deliver(t, transport); err == nil {
		t.Error("Deliver() on a closed connection succeeded, want an error")
	}
	mustDeliver(t, transport)
	if got, want := triedMechanisms(script), []string{"SCRAM-SHA-256", "PLAIN", "PLAIN"}; !slices.Equal(got, want) {
		t.Errorf("mechanisms = %v, want %v", got, want)
	}
}

// triedMechanisms returns the mechanisms that the client tried.
func triedMechanisms(script *smtpScript) []string {
	var tried []string
	for line := range strings.SplitSeq(script.said(), "\n") {
		if rest, found := strings.CutPrefix(line, "AUTH "); found {
			tried = append(tried, strings.Fields(rest)[0])
		}
	}
	return tried
}

// TestAuthStopsAtAFalseServer does not send the password to a server that failed to prove
// that it has the keys of SCRAM.
func TestAuthStopsAtAFalseServer(t *testing.T) {
	script := &smtpScript{user: "u", pass: "p", extensions: []string{"AUTH PLAIN SCRAM-SHA-256"}}
	script.reply = func(_ int, verb, line string) string {
		if verb == "AUTH" && strings.Contains(line, "SCRAM") {
			return "334 cj1mYWxzZSxzPVFTWEMrcz0saT00MDk2" // the nonce is not that of the client
		}
		return ""
	}
	var failure *DeliveryError
	if err := deliver(t, newTestSMTP(t, script.start(t), nil)); !errors.As(err, &failure) || failure.Stage != stageAuth {
		t.Errorf("Deliver() = %v, want a failure of auth", err)
	}
	if got := triedMechanisms(script); !slices.Equal(got, []string{"SCRAM-SHA-256"}) {
		t.Errorf("mechanisms = %v, want only SCRAM-SHA-256", got)
	}
}
