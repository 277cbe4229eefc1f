package provider

import (
	"context"
	"sync"
	"time"
)

// Intervals between loads.
const (
	// loadInterval is the minimum interval between loads while a value is cached.
	loadInterval = time.Minute
	// firstBackoff follows the first failure while no value is cached. It doubles
	// with each further failure, up to loadInterval.
	firstBackoff = time.Second
)

// cached holds one document of a provider. The first caller loads it; concurrent
// callers share that load. It is loaded again when it is older than its lifetime or
// when a caller reports it as outdated. If that fails, the old document is used for
// one more lifetime.
//
// A load runs in a goroutine because it continues for other callers after the first
// one has given up. Its timeout ends it.
type cached[T any] struct {
	load     func(context.Context) (T, error)
	lifetime time.Duration
	now      func() time.Time
	timeout  time.Duration

	mu         sync.Mutex
	value      T
	generation uint64 // of value; 0 without a value
	loaded     time.Time
	tried      time.Time
	failures   int
	err        error         // of the last load
	flight     chan struct{} // closed at the end of the current load
}

func newCached[T any](load func(context.Context) (T, error), lifetime time.Duration, now func() time.Time, timeout time.Duration) *cached[T] {
	return &cached[T]{load: load, lifetime: lifetime, now: now, timeout: timeout}
}

// get returns the value and its generation. A caller for which a generation was of
// no use passes it as outdated, others pass 0. It receives the same generation
// again if another load is not due yet, with an error if the last load failed.
func (c *cached[T]) get(ctx context.Context, outdated uint64) (T, uint64, error) {
	return c.find(ctx, outdated, false)
}

// find is get. An urgent call does not wait for the interval between loads: it is for
// callers whose number the provider limits. After a failure the interval applies.
func (c *cached[T]) find(ctx context.Context, outdated uint64, urgent bool) (T, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fresh() || c.generation <= outdated {
		if c.flight == nil && (c.mayLoad() || urgent && c.failures == 0) {
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

// attempt loads with the timeout. It recovers from panics in decoders: in a
// separate goroutine a panic would end the process.
func (c *cached[T]) attempt(ctx context.Context) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = failed("decoding the response panicked")
		}
	}()
	return c.load(ctx)
}

// wait waits for the current load, if any. The caller holds the lock before and
// after the call.
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
