package provider

import (
	"context"
	"sync"
	"time"
)

// Pace of loads, whatever is asked for.
const (
	// loadInterval lies at least between two loads while there is a value.
	loadInterval = time.Minute
	// firstBackoff follows the first failure while there is none; it doubles
	// with each further one, up to loadInterval.
	firstBackoff = time.Second
)

// cached holds one document of a provider. It is loaded when it is first
// needed, by one load at a time that all callers share, and again when it is
// older than its lifetime or a caller knows it to be outdated. When that fails,
// the old document stays in use for one more lifetime.
//
// A load runs in a goroutine, as it serves others even after the caller who
// began it has left; its timeout ends it.
type cached[T any] struct {
	load     func(context.Context) (T, error)
	lifetime time.Duration
	now      func() time.Time
	timeout  time.Duration

	mu         sync.Mutex
	value      T
	generation uint64 // of value; 0 means that there is none
	loaded     time.Time
	tried      time.Time
	failures   int
	err        error         // of the last load
	flight     chan struct{} // closed when the load under way has ended
}

func newCached[T any](load func(context.Context) (T, error), lifetime time.Duration, now func() time.Time, timeout time.Duration) *cached[T] {
	return &cached[T]{load: load, lifetime: lifetime, now: now, timeout: timeout}
}

// get returns the value and its generation. A caller to whom a generation was
// of no use names it in outdated, otherwise 0; it gets the same one again where
// it is too early for another load, together with an error where the last load
// failed.
func (c *cached[T]) get(ctx context.Context, outdated uint64) (T, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fresh() || c.generation <= outdated {
		if c.flight == nil && c.mayLoad() {
			c.begin(ctx)
		}
		if err := c.wait(ctx); err != nil {
			var none T
			return none, 0, err
		}
	}
	return c.result(outdated)
}

func (c *cached[T]) fresh() bool {
	return c.generation > 0 && c.now().Sub(c.loaded) < c.lifetime
}

func (c *cached[T]) usable() bool {
	return c.generation > 0 && c.now().Sub(c.loaded) < 2*c.lifetime
}

func (c *cached[T]) mayLoad() bool {
	if c.tried.IsZero() {
		return true
	}
	pause := loadInterval
	if !c.usable() && c.failures > 0 {
		pause = min(firstBackoff<<min(c.failures-1, 10), loadInterval)
	}
	return c.now().Sub(c.tried) >= pause
}

func (c *cached[T]) begin(ctx context.Context) {
	flight := make(chan struct{})
	c.flight, c.tried = flight, c.now()
	detached := context.WithoutCancel(ctx)
	go func() {
		value, err := c.attempt(detached)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err, c.flight = err, nil
		if err != nil {
			c.failures++
		} else {
			c.value, c.loaded, c.failures = value, c.now(), 0
			c.generation++
		}
		close(flight)
	}()
}

// attempt loads, within the timeout. A panic in a decoder is a failure here: in
// a goroutine of its own it would end the whole server.
func (c *cached[T]) attempt(ctx context.Context) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = failed("the answer could not be decoded")
		}
	}()
	return c.load(ctx)
}

// wait waits for the load under way, if there is one. It is called, and
// returns, with the lock held.
func (c *cached[T]) wait(ctx context.Context) error {
	flight := c.flight
	if flight == nil {
		return nil
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *cached[T]) result(outdated uint64) (T, uint64, error) {
	if !c.usable() {
		var none T
		return none, 0, c.err
	}
	if c.generation <= outdated {
		return c.value, c.generation, c.err
	}
	return c.value, c.generation, nil
}
