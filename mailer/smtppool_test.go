package mailer

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// clocked configures a fake clock.
func clocked(clock *fakeClock) func(*SMTPConfig) {
	return func(c *SMTPConfig) { c.Now, c.AfterFunc = clock.Now, clock.AfterFunc }
}

func mustDeliver(t *testing.T, transport Transport) {
	t.Helper()
	if err := deliver(t, transport); err != nil {
		t.Fatalf("deliver() failed: %v", err)
	}
}

func TestPoolUsesConnectionsAgain(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), nil)
	for range DefaultMaxUses {
		mustDeliver(t, transport)
	}
	if dials := script.dialed(); dials != 1 || len(script.received()) != 10 {
		t.Errorf("connections = %d, mails = %d, want 1, 10", dials, len(script.received()))
	}
}

func TestPoolIsBounded(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.Connections, c.MaxUses = 2, 100 })
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := deliver(t, transport); err != nil {
				t.Errorf("deliver() failed: %v", err)
			}
		})
	}
	group.Wait()
	if dials := script.dialed(); dials > 2 || len(script.received()) != 20 {
		t.Errorf("connections = %d, mails = %d", dials, len(script.received()))
	}
}

func TestPoolKeepsAConnectionAfterARefusal(t *testing.T) {
	script := &smtpScript{reply: func(_ int, verb, line string) string {
		if verb == "RCPT" && strings.Contains(line, "unknown") {
			return "550 5.1.1 unknown"
		}
		return ""
	}}
	transport := newTestSMTP(t, script.start(t), nil)
	refused := testMessage()
	refused.To = "unknown@example.org"
	if err := transport.Deliver(shortly(t), refused); err == nil {
		t.Fatal("Deliver() succeeded, want an error")
	}
	mustDeliver(t, transport)
	if dials := script.dialed(); dials != 1 || !strings.Contains(script.said(), "RSET") {
		t.Errorf("connections = %d, commands =\n%s", dials, script.said())
	}
}

func TestPoolEndsAConnectionAfterMaxUses(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.MaxUses = 2 })
	for range 5 {
		mustDeliver(t, transport)
	}
	if dials := script.dialed(); dials != 3 {
		t.Errorf("connections = %d, want 3", dials)
	}
	if quits := strings.Count(script.said(), "QUIT"); quits != 2 {
		t.Errorf("QUIT commands = %d, want 2", quits)
	}
}

func TestPoolChecksAConnectionThatWasIdle(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	mustDeliver(t, transport)
	clock.Advance(checkAfter)
	mustDeliver(t, transport)
	if dials := script.dialed(); dials != 1 || strings.Count(script.said(), "NOOP") != 1 {
		t.Errorf("connections = %d, commands =\n%s", dials, script.said())
	}
}

func TestPoolReplacesADeadConnection(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{reply: func(n int, verb, _ string) string {
		if n == 1 && verb == "NOOP" {
			return "421 4.4.2 idle for too long"
		}
		return ""
	}}
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	mustDeliver(t, transport)
	clock.Advance(checkAfter)
	mustDeliver(t, transport)
	if dials := script.dialed(); dials != 2 || len(script.received()) != 2 {
		t.Errorf("connections = %d, mails = %d", dials, len(script.received()))
	}
}

// TestPoolHealsAfterARestart: a restarted server has closed all connections. The first
// mail afterwards must not fail.
func TestPoolHealsAfterARestart(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { _ = deliver(t, transport) })
	}
	group.Wait()
	address := script.listener.Addr().String()
	script.stop()
	script.listen(t, address)
	before := len(script.received())
	mustDeliver(t, transport)
	if got := len(script.received()) - before; got != 1 {
		t.Errorf("mails after the restart = %d, want 1", got)
	}
}

// TestPoolDoesNotRepeatContent loses the reply to the content: the mail may have been
// accepted and must not be sent again.
func TestPoolDoesNotRepeatContent(t *testing.T) {
	ends := 0
	script := &smtpScript{reply: func(_ int, verb, _ string) string {
		if verb == "." {
			if ends++; ends == 2 {
				return replyDrop
			}
		}
		return ""
	}}
	transport := newTestSMTP(t, script.start(t), nil)
	mustDeliver(t, transport)
	if err := deliver(t, transport); err == nil {
		t.Fatal("Deliver() succeeded, want an error")
	}
	if count := strings.Count(script.said(), "DATA"); count != 2 {
		t.Errorf("DATA commands = %d, want 2", count)
	}
}

func TestPoolSweepsIdleConnections(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	mustDeliver(t, transport)
	clock.awaitTimers(t, 1)
	clock.Advance(DefaultMaxIdle / 2)
	mustDeliver(t, transport) // idle anew
	clock.Advance(DefaultMaxIdle / 2)
	if strings.Contains(script.said(), "QUIT") {
		t.Fatal("a connection ended after half of its idle time")
	}
	clock.awaitTimers(t, 1)
	clock.Advance(DefaultMaxIdle / 2)
	if !strings.Contains(script.said(), "QUIT") || len(transport.pool.idle) != 0 {
		t.Errorf("an expired connection was kept; commands =\n%s", script.said())
	}
}

func TestSMTPClose(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	mustDeliver(t, transport)
	if err := transport.Close(); err != nil {
		t.Fatalf("Close() failed: %v", err)
	}
	if !strings.Contains(script.said(), "QUIT") {
		t.Error("Close() sent no QUIT")
	}
	if err := deliver(t, transport); !errors.Is(err, ErrClosed) {
		t.Errorf("Deliver() failed with %v, want %v", err, ErrClosed)
	}
	clock.Advance(time.Hour) // no timer is left
	if err := transport.Close(); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
}

// TestPoolLeavesOldConnections does not use an expired connection, even if its timer is
// late.
func TestPoolLeavesOldConnections(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) {
		c.Now = clock.Now
		c.AfterFunc = func(time.Duration, func()) func() bool { return func() bool { return true } }
	})
	mustDeliver(t, transport)
	clock.Advance(DefaultMaxIdle)
	mustDeliver(t, transport)
	if dials := script.dialed(); dials != 2 {
		t.Errorf("connections = %d, want 2", dials)
	}
}
