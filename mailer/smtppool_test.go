package mailer

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// clocked makes a transport run on a fake clock.
func clocked(clock *fakeClock) func(*SMTPConfig) {
	return func(c *SMTPConfig) { c.Now, c.AfterFunc = clock.Now, clock.AfterFunc }
}

func mustDeliver(t *testing.T, transport Transport) {
	t.Helper()
	if err := deliver(t, transport); err != nil {
		t.Fatal(err)
	}
}

func TestPoolUsesConnectionsAgain(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), nil)
	for range 10 {
		mustDeliver(t, transport)
	}
	if dials := script.dialed(); dials != 1 || len(script.received()) != 10 {
		t.Errorf("%d connections for %d mails, want 1 for 10", dials, len(script.received()))
	}
}

func TestPoolIsBounded(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.Connections = 2 })
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := deliver(t, transport); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if dials := script.dialed(); dials > 2 || len(script.received()) != 20 {
		t.Errorf("%d connections, %d mails", dials, len(script.received()))
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
		t.Fatal("no error")
	}
	mustDeliver(t, transport)
	if dials := script.dialed(); dials != 1 || !strings.Contains(script.said(), "RSET") {
		t.Errorf("%d connections, said\n%s", dials, script.said())
	}
}

func TestPoolEndsAConnectionAfterMaxUses(t *testing.T) {
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), func(c *SMTPConfig) { c.MaxUses = 2 })
	for range 5 {
		mustDeliver(t, transport)
	}
	if dials := script.dialed(); dials != 3 {
		t.Errorf("%d connections, want 3", dials)
	}
	if quits := strings.Count(script.said(), "QUIT"); quits != 2 {
		t.Errorf("%d farewells, want 2", quits)
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
		t.Errorf("%d connections, said\n%s", dials, script.said())
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
		t.Errorf("%d connections, %d mails", dials, len(script.received()))
	}
}

// A server that was restarted has closed all connections. The first mail after
// it must not pay for that with an attempt.
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
		t.Errorf("%d mails after the restart, want 1", got)
	}
}

// The answer to the content was lost: the mail may have been taken, so that the
// same attempt must not offer it again.
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
		t.Fatal("no error")
	}
	if count := strings.Count(script.said(), "DATA"); count != 2 {
		t.Errorf("content offered %d times, want once for each mail", count)
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
		t.Fatal("a connection ended that was idle for half of the time")
	}
	clock.awaitTimers(t, 1)
	clock.Advance(DefaultMaxIdle / 2)
	if !strings.Contains(script.said(), "QUIT") || len(transport.pool.idle) != 0 {
		t.Errorf("idle connection kept; said\n%s", script.said())
	}
}

func TestSMTPClose(t *testing.T) {
	clock := newFakeClock()
	script := &smtpScript{}
	transport := newTestSMTP(t, script.start(t), clocked(clock))
	mustDeliver(t, transport)
	if err := transport.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script.said(), "QUIT") {
		t.Error("no farewell")
	}
	if err := deliver(t, transport); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
	clock.Advance(time.Hour) // the timer of the sweep is gone
	if err := transport.Close(); err != nil {
		t.Error(err)
	}
}

// A timer may be late; a connection that is too old is not used all the same.
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
		t.Errorf("%d connections, want 2", dials)
	}
}
