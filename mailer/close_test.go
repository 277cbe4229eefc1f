package mailer

import (
	"context"
	"errors"
	"testing"
	"time"
)

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestCloseDrains(t *testing.T) {
	release := make(chan struct{})
	transport := newFakeTransport(func(context.Context, *Message) error { <-release; return nil })
	r := newRig(t, transport, func(c *QueueConfig) { c.Workers = 1 })
	for range 5 {
		r.enqueue(t, r.mail("alice@example.org"))
	}
	done := make(chan error, 1)
	go func() { done <- r.Close(shortly(t)) }()
	receive(t, r.closing)
	if err := r.Enqueue(t.Context(), r.mail("alice@example.org")); !errors.Is(err, ErrClosed) {
		t.Errorf("Enqueue() while closing failed with %v, want %v", err, ErrClosed)
	}
	close(release)
	if err := receive(t, done); err != nil {
		t.Fatalf("Close() failed: %v", err)
	}
	for range 5 {
		r.expect(t, Sent)
	}
	receive(t, transport.closed)
	if err := r.Close(t.Context()); err != nil {
		t.Errorf("second Close() failed: %v", err)
	}
}

// TestCloseTriesWaitingMail retries a waiting mail without another pause.
func TestCloseTriesWaitingMail(t *testing.T) {
	results := make(chan error, 2)
	results <- temporary
	results <- nil
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return <-results }), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Retried)
	r.clock.awaitTimers(t, 1)
	if err := r.Close(shortly(t)); err != nil {
		t.Fatalf("Close() failed: %v", err)
	}
	r.expect(t, Sent)
}

// TestCloseIsFasterThanATimer: a timer that fires while Close runs must not put its mail
// back a second time.
func TestCloseIsFasterThanATimer(t *testing.T) {
	release, results := make(chan struct{}), make(chan error, 2)
	results <- temporary
	results <- nil
	fired := make(chan func(), 1)
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error {
		err := <-results
		if err == nil {
			<-release
		}
		return err
	}), func(c *QueueConfig) {
		c.Workers = 1
		c.AfterFunc = func(d time.Duration, f func()) func() bool {
			if d <= firstPause { // the pause between attempts
				fired <- f
			}
			return func() bool { return false } // too late to stop
		}
	})
	r.enqueue(t, r.mail("alice@example.org"))
	put := receive(t, fired)
	done := make(chan error, 1)
	go func() { done <- r.Close(shortly(t)) }()
	receive(t, r.closing)
	put()
	close(release)
	if err := receive(t, done); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
	r.expect(t, Retried)
	if o := r.expect(t, Sent); o.Attempts != 2 || r.Len() != 0 {
		t.Errorf("attempts = %d, Len() = %d, want 2, 0", o.Attempts, r.Len())
	}
}

func TestCloseReportsWhatIsLeft(t *testing.T) {
	started := make(chan struct{})
	transport := newFakeTransport(func(ctx context.Context, m *Message) error {
		if m.To == "waits@example.org" {
			return temporary
		}
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	r := newRig(t, transport, func(c *QueueConfig) { c.Workers = 1 })
	r.enqueue(t, r.mail("waits@example.org"))
	r.expect(t, Retried)
	r.clock.awaitTimers(t, 1)
	r.enqueue(t, r.mail("alice@example.org")) // current
	receive(t, started)
	r.enqueue(t, r.mail("alice@example.org")) // ready
	decoy := r.mail("alice@example.org")
	decoy.Decoy = true
	r.enqueue(t, decoy)

	var dropped *DroppedError
	if err := r.Close(canceled()); !errors.As(err, &dropped) || dropped.Count != 3 {
		t.Fatalf("Close() = %v, want 3 dropped mails", err)
	}
	for range 3 {
		r.expect(t, Dropped)
	}
	if r.Len() != 0 || len(r.outcomes) != 0 {
		t.Errorf("Len() = %d, further outcomes = %d, want none", r.Len(), len(r.outcomes))
	}
	receive(t, transport.closed)
	r.clock.Advance(time.Hour) // all timers are stopped
	wantNoSecrets(t, r.logs.String())
}

func TestCloseTwiceKeepsToTheContext(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { <-release; return nil }), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	done := make(chan error, 1)
	go func() { done <- r.Close(shortly(t)) }()
	receive(t, r.closing)
	if err := r.Close(canceled()); !errors.Is(err, context.Canceled) {
		t.Errorf("second Close() failed with %v, want a canceled context", err)
	}
	close(release)
	if err := receive(t, done); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
}

// TestReloadLosesNoMail closes a queue while its successor works. A later change of the
// configuration does not affect the old queue.
func TestReloadLosesNoMail(t *testing.T) {
	release := make(chan struct{})
	senders := make(chan string, 10)
	old := newFakeTransport(func(_ context.Context, m *Message) error { <-release; senders <- m.From.Address; return nil })
	var config QueueConfig
	first := newRig(t, old, func(c *QueueConfig) { c.From = "old@example.com"; config = *c })
	first.enqueue(t, first.mail("alice@example.org"))
	config.From, config.Transport = "new@example.com", newFakeTransport(func(_ context.Context, m *Message) error {
		senders <- m.From.Address
		return nil
	})

	done := make(chan error, 1)
	go func() { done <- first.Close(shortly(t)) }()
	second, err := NewQueue(config)
	if err != nil {
		t.Fatalf("NewQueue() failed: %v", err)
	}
	if err := second.Enqueue(t.Context(), first.mail("bob@example.org")); err != nil {
		t.Fatalf("Enqueue() failed: %v", err)
	}
	if got := receive(t, senders); got != "new@example.com" {
		t.Errorf("sender of the new queue = %s", got)
	}
	close(release)
	if got := receive(t, senders); got != "old@example.com" {
		t.Errorf("sender of the old queue = %s", got)
	}
	if err := receive(t, done); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
	if err := second.Close(shortly(t)); err != nil {
		t.Errorf("Close() failed: %v", err)
	}
}

// TestHandOver moves undelivered mail to the queue of a corrected configuration.
func TestHandOver(t *testing.T) {
	broken := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
	for range 3 {
		broken.enqueue(t, broken.mail("alice@example.org"))
		broken.expect(t, Retried)
	}
	broken.clock.awaitTimers(t, 3)
	mended := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
	if err := broken.HandOver(shortly(t), mended.Queue); err != nil {
		t.Fatalf("HandOver() failed: %v", err)
	}
	for range 3 {
		mended.expect(t, Sent)
	}
	if err := broken.Enqueue(t.Context(), broken.mail("alice@example.org")); !errors.Is(err, ErrClosed) {
		t.Errorf("Enqueue() after HandOver() failed with %v, want %v", err, ErrClosed)
	}
	if err := broken.HandOver(t.Context(), mended.Queue); err != nil {
		t.Errorf("second HandOver() failed: %v", err)
	}
	if broken.Len() != 0 {
		t.Errorf("Len() = %d, want 0", broken.Len())
	}
}

// TestHandOverWaitsForAttempts: canceling an attempt could deliver its mail twice.
func TestHandOverWaitsForAttempts(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	slow := newRig(t, newFakeTransport(func(context.Context, *Message) error {
		close(began)
		<-release
		return nil
	}), func(c *QueueConfig) { c.Workers = 1 })
	slow.enqueue(t, slow.mail("alice@example.org"))
	receive(t, began)
	slow.enqueue(t, slow.mail("bob@example.org"))
	next := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
	done := make(chan error, 1)
	go func() { done <- slow.HandOver(shortly(t), next.Queue) }()
	receive(t, slow.closing)
	close(release)
	if err := receive(t, done); err != nil {
		t.Fatalf("Close() failed: %v", err)
	}
	slow.expect(t, Sent)
	next.expect(t, Sent)
}

func TestHandOverToAQueueThatIsFull(t *testing.T) {
	held := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
	held.enqueue(t, held.mail("alice@example.org"))
	held.expect(t, Retried)
	held.clock.awaitTimers(t, 1)
	next := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
	if err := next.Close(shortly(t)); err != nil {
		t.Fatalf("Close() failed: %v", err)
	}
	var dropped *DroppedError
	if err := held.HandOver(shortly(t), next.Queue); !errors.As(err, &dropped) || dropped.Count != 1 {
		t.Errorf("HandOver() = %v, want 1 dropped mail", err)
	}
	held.expect(t, Dropped)
}
