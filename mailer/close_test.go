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
		t.Errorf("intake while closing: %v", err)
	}
	close(release)
	if err := receive(t, done); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		r.expect(t, Sent)
	}
	receive(t, transport.closed)
	if err := r.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// A mail that waits for another attempt is tried at once: nobody will move the
// clock any more.
func TestCloseTriesWaitingMail(t *testing.T) {
	results := make(chan error, 2)
	results <- temporary
	results <- nil
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return <-results }), nil)
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Retried)
	r.clock.awaitTimers(t, 1)
	if err := r.Close(shortly(t)); err != nil {
		t.Fatal(err)
	}
	r.expect(t, Sent)
}

// A timer that fires while Close runs must not put its mail back a second time.
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
		c.AfterFunc = func(_ time.Duration, f func()) func() bool {
			fired <- f
			return func() bool { return false } // too late to stop
		}
	})
	r.enqueue(t, r.mail("alice@example.org"))
	put := receive(t, fired)
	done := make(chan error, 1)
	go func() { done <- r.Close(shortly(t)) }()
	receive(t, r.closing)
	put()
	if waiting := len(r.ready); waiting > 1 {
		t.Errorf("the mail is in the queue %d times", waiting)
	}
	close(release)
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
	r.expect(t, Retried)
	if o := r.expect(t, Sent); o.Attempts != 2 || r.Len() != 0 {
		t.Errorf("%d attempts, %d places", o.Attempts, r.Len())
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
	r.enqueue(t, r.mail("alice@example.org")) // under way
	receive(t, started)
	r.enqueue(t, r.mail("alice@example.org")) // ready
	decoy := r.mail("alice@example.org")
	decoy.Decoy = true
	r.enqueue(t, decoy)

	var dropped *DroppedError
	if err := r.Close(canceled()); !errors.As(err, &dropped) || dropped.Count != 3 {
		t.Fatalf("error %v, want 3 dropped", err)
	}
	for range 3 {
		r.expect(t, Dropped)
	}
	if r.Len() != 0 || len(r.outcomes) != 0 {
		t.Errorf("%d places, %d more outcomes", r.Len(), len(r.outcomes))
	}
	receive(t, transport.closed)
	r.clock.Advance(time.Hour) // no timer comes back to life
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
		t.Errorf("second Close: %v", err)
	}
	close(release)
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

// When a configuration is replaced, the old queue delivers what it has while the
// new one works, and changing what the old one was made from changes nothing.
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
		t.Fatal(err)
	}
	if err := second.Enqueue(t.Context(), first.mail("bob@example.org")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, senders); got != "new@example.com" {
		t.Errorf("the new queue sent from %s", got)
	}
	close(release)
	if got := receive(t, senders); got != "old@example.com" {
		t.Errorf("the old queue sent from %s", got)
	}
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
	if err := second.Close(shortly(t)); err != nil {
		t.Error(err)
	}
}

// A reload that mends the address of the mail server must not lose the mail that
// could not be sent before.
func TestHandOver(t *testing.T) {
	broken := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
	for range 3 {
		broken.enqueue(t, broken.mail("alice@example.org"))
		broken.expect(t, Retried)
	}
	broken.clock.awaitTimers(t, 3)
	mended := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
	if err := broken.HandOver(shortly(t), mended.Queue); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		mended.expect(t, Sent)
	}
	if err := broken.Enqueue(t.Context(), broken.mail("alice@example.org")); !errors.Is(err, ErrClosed) {
		t.Errorf("intake after the hand-over: %v", err)
	}
	if err := broken.HandOver(t.Context(), mended.Queue); err != nil {
		t.Errorf("second time: %v", err)
	}
	if broken.Len() != 0 {
		t.Errorf("%d places are taken", broken.Len())
	}
}

// An attempt under way may end by itself: cut short, its mail would come twice.
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
	receive(t, slow.handing)
	close(release)
	if err := receive(t, done); err != nil {
		t.Fatal(err)
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
		t.Fatal(err)
	}
	var dropped *DroppedError
	if err := held.HandOver(shortly(t), next.Queue); !errors.As(err, &dropped) || dropped.Count != 1 {
		t.Errorf("got %v", err)
	}
	held.expect(t, Dropped)
}
