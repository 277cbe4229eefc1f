package mailer

import (
	"bytes"
	"context"
	"log/slog"
	netmail "net/mail"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// patience limits every wait of a test; only a failing test reaches it.
const patience = time.Minute

// fakeClock is a clock that the test moves.
type fakeClock struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     time.Time
	timers  map[*fakeTimer]bool
}

type fakeTimer struct {
	due time.Time
	f   func()
}

func newFakeClock() *fakeClock {
	c := &fakeClock{now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), timers: map[*fakeTimer]bool{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &fakeTimer{due: c.now.Add(d), f: f}
	c.timers[timer] = true
	c.changed.Broadcast()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		running := c.timers[timer]
		delete(c.timers, timer)
		return running
	}
}

// Advance moves the clock and runs due timers.
func (c *fakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for timer := range c.timers {
		if !timer.due.After(c.now) {
			due = append(due, timer.f)
			delete(c.timers, timer)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// awaitTimers waits until at least n timers run.
func (c *fakeClock) awaitTimers(t *testing.T, n int) {
	t.Helper()
	c.await(t, func() bool { return len(c.timers) >= n }, "running timers = %d, want %d", func() []any {
		return []any{len(c.timers), n}
	})
}

// awaitTimer waits until a timer of exactly d runs. A step that is not over yet may
// have a timer of its own, so counting is not enough where the length matters.
func (c *fakeClock) awaitTimer(t *testing.T, d time.Duration) {
	t.Helper()
	c.await(t, func() bool {
		for timer := range c.timers {
			if timer.due.Equal(c.now.Add(d)) {
				return true
			}
		}
		return false
	}, "no timer of %v runs", func() []any { return []any{d} })
}

// await waits until met, which is called with the lock held, returns true.
func (c *fakeClock) await(t *testing.T, met func() bool, format string, args func() []any) {
	t.Helper()
	expired := false
	watchdog := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		expired = true
		c.changed.Broadcast()
	})
	defer watchdog.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !met() {
		if expired {
			t.Fatalf(format, args()...)
		}
		c.changed.Wait()
	}
}

// fakeTransport calls a function of the test.
type fakeTransport struct {
	deliver func(ctx context.Context, m *Message) error
	closed  chan struct{}
}

func newFakeTransport(deliver func(ctx context.Context, m *Message) error) *fakeTransport {
	return &fakeTransport{deliver: deliver, closed: make(chan struct{})}
}

func (f *fakeTransport) Deliver(ctx context.Context, m *Message) error { return f.deliver(ctx, m) }

func (f *fakeTransport) Close() error {
	close(f.closed)
	return nil
}

// logBuffer collects log lines of all levels.
type logBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// rig is a queue with a fake clock, a log and a list of outcomes.
type rig struct {
	*Queue
	clock    *fakeClock
	logs     *logBuffer
	outcomes chan Outcome
}

func newRig(t *testing.T, transport Transport, change func(*QueueConfig)) *rig {
	t.Helper()
	r := &rig{clock: newFakeClock(), logs: &logBuffer{}, outcomes: make(chan Outcome, 10_000)}
	config := QueueConfig{
		Transport: transport, From: "Example <login@example.com>", Delay: -1,
		Observe: func(o Outcome) { r.outcomes <- o },
		Logger:  r.logs.logger(), Now: r.clock.Now, AfterFunc: r.clock.AfterFunc,
	}
	if change != nil {
		change(&config)
	}
	queue, err := NewQueue(config)
	if err != nil {
		t.Fatalf("NewQueue() failed: %v", err)
	}
	r.Queue = queue
	t.Cleanup(func() {
		_ = queue.Close(canceled())
	})
	return r
}

// mail returns a mail that expires 15 minutes after the rig's current time.
func (r *rig) mail(to string) authcore.Mail { return testMail(to, r.clock.Now()) }

func testMail(to string, now time.Time) authcore.Mail {
	return authcore.Mail{
		To: to, Link: "https://frontend.app/auth/link/S3cretL1nk", Code: "987654",
		Lifetime: 15 * time.Minute, Expires: now.Add(15 * time.Minute), Client: "web",
	}
}

func (r *rig) enqueue(t *testing.T, mail authcore.Mail) {
	t.Helper()
	if err := r.Enqueue(t.Context(), mail); err != nil {
		t.Fatalf("Enqueue() failed: %v", err)
	}
}

func (r *rig) expect(t *testing.T, want Result) Outcome {
	t.Helper()
	got := receive(t, r.outcomes)
	if got.Result != want {
		t.Fatalf("outcome = %q, want %q\n%s", got.Result, want, r.logs)
	}
	return got
}

// await waits for a condition of the queue, which is checked with the lock.
func (r *rig) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for start := time.Now(); ; runtime.Gosched() {
		r.mu.Lock()
		ok := condition()
		r.mu.Unlock()
		if ok {
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("condition was not reached: %s", what)
		}
	}
}

// receive waits for a value.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("no value was received")
		panic("unreachable")
	}
}

func testMessage() *Message {
	return &Message{
		From: netmail.Address{Name: "Example", Address: "login@example.com"}, To: "alice@example.org", Subject: "Your login link",
		Text: "Hello\n.\nhttps://frontend.app/auth/link/S3cretL1nk 987654\n", HTML: "<p>Hello</p>",
		MessageID: "0123456789abcdef@example.com", Date: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC),
		link: "https://frontend.app/auth/link/S3cretL1nk", code: "987654",
	}
}
