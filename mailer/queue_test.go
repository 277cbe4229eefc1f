package mailer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// temporary and permanent are failures of a transport.
var (
	temporary = &DeliveryError{Stage: stageRecipient, Status: 450, Reason: "later"}
	permanent = &DeliveryError{Permanent: true, Stage: stageRecipient, Status: 550, Enhanced: "5.1.1", Reason: "never"}
)

func TestQueueDelivers(t *testing.T) {
	got := make(chan *Message, 1)
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error { got <- m; return nil }),
		func(c *QueueConfig) { c.ReplyTo = "Help <help@example.com>" })
	r.enqueue(t, r.mail("alice@example.org"))
	m := receive(t, got)
	if m.From.String() != `"Example" <login@example.com>` || m.ReplyTo.Address != "help@example.com" || m.To != "alice@example.org" {
		t.Errorf("message: From = %v, ReplyTo = %v, To = %q", m.From, m.ReplyTo, m.To)
	}
	if o := r.expect(t, Sent); o.Attempts != 1 {
		t.Errorf("attempts = %d, want 1", o.Attempts)
	}
	if r.Len() != 0 {
		t.Errorf("Len() = %d, want 0", r.Len())
	}
}

func TestQueueRetriesTheSameMail(t *testing.T) {
	results := make(chan error, 3)
	ids := make(chan string, 3)
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error { ids <- m.MessageID; return <-results }), nil)
	results <- temporary
	results <- errors.New("550 alice@example.org hunter2")
	results <- nil
	r.enqueue(t, r.mail("alice@example.org"))
	for range 2 {
		r.expect(t, Retried)
		r.clock.awaitTimers(t, 1)
		if r.Len() != 1 {
			t.Errorf("Len() while waiting = %d, want 1", r.Len())
		}
		r.clock.Advance(longestPause)
	}
	if o := r.expect(t, Sent); o.Attempts != 3 || o.Age != 2*longestPause {
		t.Errorf("outcome = %+v, want 3 attempts in %s", o, 2*longestPause)
	}
	if first, second, third := <-ids, <-ids, <-ids; first != second || first != third {
		t.Error("attempts have different Message-IDs, so that duplicates cannot be recognized")
	}
	wantNoSecrets(t, r.logs.String())
}

func TestQueueDropsWhatIsRefused(t *testing.T) {
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return permanent }), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Rejected)
	if r.Len() != 0 {
		t.Errorf("Len() = %d, want 0", r.Len())
	}
}

func TestQueueExpires(t *testing.T) {
	t.Run("after attempts", func(t *testing.T) {
		r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
		r.enqueue(t, r.mail("alice@example.org"))
		attempts := 0
		for o := receive(t, r.outcomes); o.Result != Expired; o = receive(t, r.outcomes) {
			attempts = o.Attempts
			r.clock.awaitTimers(t, 1)
			r.clock.Advance(longestPause)
		}
		if attempts < 10 || r.Len() != 0 {
			t.Errorf("attempts in 15 minutes = %d, Len() = %d, want at least 10 and 0", attempts, r.Len())
		}
	})
	t.Run("before the next attempt", func(t *testing.T) {
		r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
		short := r.mail("alice@example.org")
		short.Expires = r.clock.Now().Add(firstPause / 4)
		r.enqueue(t, short)
		if o := r.expect(t, Expired); o.Attempts != 1 || r.Len() != 0 {
			t.Errorf("attempts = %d, Len() = %d, want 1, 0", o.Attempts, r.Len())
		}
	})
	t.Run("before the first attempt", func(t *testing.T) {
		r := newRig(t, newFakeTransport(func(context.Context, *Message) error { t.Error("Deliver() was called"); return nil }), nil)
		late := r.mail("alice@example.org")
		late.Expires = r.clock.Now()
		r.enqueue(t, late)
		if o := r.expect(t, Expired); o.Attempts != 0 {
			t.Errorf("attempts = %d, want 0", o.Attempts)
		}
	})
}

func TestQueueDropsFaultyMail(t *testing.T) {
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { t.Error("Deliver() was called"); return nil }), nil)
	r.enqueue(t, r.mail("alice@example.org\r\nRCPT TO:<eve@example.net>"))
	r.expect(t, Dropped)
	script := r.mail("alice@example.org")
	script.Link = "javascript:alert('S3cretL1nk')"
	r.enqueue(t, script)
	r.expect(t, Dropped)
	wantNoSecrets(t, r.logs.String())
}

// TestQueueWaitingBlocksNothing: a waiting mail occupies no worker.
func TestQueueWaitingBlocksNothing(t *testing.T) {
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		if m.To == "slow@example.org" {
			return temporary
		}
		return nil
	}), func(c *QueueConfig) { c.Workers = 1 })
	for range 20 {
		r.enqueue(t, r.mail("slow@example.org"))
		r.expect(t, Retried)
	}
	r.enqueue(t, r.mail("quick@example.org"))
	r.expect(t, Sent)
}

// TestQueueIsBounded fills the queue before the first attempts end. Waiting retries take
// no place in it.
func TestQueueIsBounded(t *testing.T) {
	started, release := make(chan struct{}, 10), make(chan struct{})
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		if m.To == "waits@example.org" {
			return temporary
		}
		started <- struct{}{}
		<-release
		return nil
	}), func(c *QueueConfig) { c.Capacity, c.Workers = 2, 1 })
	r.enqueue(t, r.mail("waits@example.org"))
	r.expect(t, Retried)
	r.enqueue(t, r.mail("alice@example.org")) // current
	receive(t, started)
	r.enqueue(t, r.mail("alice@example.org")) // ready
	for _, decoy := range []bool{false, true} {
		mail := r.mail("alice@example.org")
		mail.Decoy = decoy
		if err := r.Enqueue(t.Context(), mail); !errors.Is(err, authcore.ErrMailQueueFull) {
			t.Errorf("Enqueue() with decoy %v failed with %v, want %v", decoy, err, authcore.ErrMailQueueFull)
		}
		r.expect(t, Full)
	}
	if r.Len() != 3 {
		t.Errorf("Len() = %d, want 3", r.Len())
	}
	close(release)
	r.expect(t, Sent)
	r.expect(t, Sent)
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Sent)
}

func TestQueueSurvivesAPanic(t *testing.T) {
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		if m.To == "alice@example.org" {
			panic("failed for " + m.To)
		}
		return nil
	}), func(c *QueueConfig) { c.Workers = 1 })
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Rejected)
	r.enqueue(t, r.mail("bob@example.org"))
	r.expect(t, Sent)
	wantNoSecrets(t, r.logs.String())
}

func TestQueueEndsAnAttemptWithTheLink(t *testing.T) {
	reasons := make(chan string, 1)
	r := newRig(t, newFakeTransport(func(ctx context.Context, _ *Message) error {
		<-ctx.Done()
		failure := failureAt(ctx, stageConnect, ctx.Err())
		reasons <- failure.Reason
		return failure
	}), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	r.clock.awaitTimers(t, 2) // the link and the worker
	r.clock.Advance(15 * time.Minute)
	r.expect(t, Expired)
	if reason := receive(t, reasons); reason != "timed out" {
		t.Errorf("reason = %q, want a timeout", reason)
	}
}

func TestQueueUnderLoad(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		mu.Lock()
		defer mu.Unlock()
		seen[m.To]++
		return nil
	}), nil)
	var group sync.WaitGroup
	for worker := range 10 {
		group.Go(func() {
			for i := range 50 {
				if err := r.Enqueue(t.Context(), r.mail(fmt.Sprintf("u%d-%d@example.org", worker, i))); err != nil {
					t.Errorf("Enqueue() failed: %v", err)
				}
			}
		})
	}
	group.Wait()
	for range 500 {
		r.expect(t, Sent)
	}
	if len(seen) != 500 || r.Len() != 0 {
		t.Errorf("different mails = %d, Len() = %d, want 500, 0", len(seen), r.Len())
	}
}

func TestBackoff(t *testing.T) {
	const second = time.Second
	for i, full := range []time.Duration{2 * second, 4 * second, 8 * second, 16 * second, 32 * second, time.Minute, time.Minute} {
		pauses := map[time.Duration]bool{}
		for range 200 {
			got := pauseAfter(i + 1)
			if pauses[got] = true; got < full/2 || got > full {
				t.Fatalf("pauseAfter(%d) = %s, want %s to %s", i+1, got, full/2, full)
			}
		}
		if len(pauses) < 100 {
			t.Errorf("pauseAfter(%d) has %d values in 200 calls, want random ones", i+1, len(pauses))
		}
	}
}

func TestNewQueueRefuses(t *testing.T) {
	transport := newFakeTransport(nil)
	for name, config := range map[string]QueueConfig{
		"no transport":  {From: "a@example.com"},
		"no sender":     {Transport: transport},
		"bad sender":    {Transport: transport, From: "a@example.com\r\nBcc: b@example.com"},
		"bad reply to":  {Transport: transport, From: "a@example.com", ReplyTo: "help"},
		"negative size": {Transport: transport, From: "a@example.com", Capacity: -1},
	} {
		if _, err := NewQueue(config); err == nil {
			t.Errorf("%s: NewQueue() succeeded, want an error", name)
		}
	}
}
