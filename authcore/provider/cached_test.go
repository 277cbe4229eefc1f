package provider

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// source is the origin of a cached value.
type source struct {
	clock *clock
	loads atomic.Int64
	err   atomic.Pointer[error]
}

func (s *source) fail(err error) { s.err.Store(&err) }

func (s *source) load(context.Context) (int64, error) {
	n := s.loads.Add(1)
	if err := s.err.Load(); err != nil && *err != nil {
		return 0, *err
	}
	return n, nil
}

func newSource(lifetime time.Duration) (*source, *cached[int64]) {
	s := &source{clock: &clock{now: testTime}}
	return s, newCached(s.load, lifetime, s.clock.Now, time.Minute)
}

func (s *source) expectLoads(t *testing.T, want int64) {
	t.Helper()
	if got := s.loads.Load(); got != want {
		t.Errorf("number of loads = %d, want %d", got, want)
	}
}

func TestCachedLifetime(t *testing.T) {
	s, c := newSource(time.Hour)
	for range 3 {
		if value, _, err := c.get(t.Context(), 0); value != 1 || err != nil {
			t.Fatalf("get() = %d, %v", value, err)
		}
	}
	s.clock.advance(time.Hour)
	if value, _, err := c.get(t.Context(), 0); value != 2 || err != nil {
		t.Fatalf("get() = %d, %v", value, err)
	}
	s.expectLoads(t, 2)
}

// TestCachedOutlivesFailure uses an old value for one more lifetime.
func TestCachedOutlivesFailure(t *testing.T) {
	s, c := newSource(time.Hour)
	down := errors.New("down")
	c.get(t.Context(), 0)
	s.fail(down)
	s.clock.advance(2*time.Hour - time.Second)
	if value, _, err := c.get(t.Context(), 0); value != 1 || err != nil {
		t.Fatalf("get() = %d, %v", value, err)
	}
	s.clock.advance(time.Second)
	if _, _, err := c.get(t.Context(), 0); !errors.Is(err, down) {
		t.Fatalf("get() = %v", err)
	}
	s.fail(nil)
	s.clock.advance(loadInterval)
	if _, _, err := c.get(t.Context(), 0); err != nil {
		t.Fatalf("Context() failed: %v", err)
	}
}

// TestCachedBacksOff doubles the pause after each failure, up to the interval.
func TestCachedBacksOff(t *testing.T) {
	s, c := newSource(time.Hour)
	s.fail(errors.New("down"))
	c.get(t.Context(), 0)
	for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		pause := time.Duration(seconds) * time.Second
		s.clock.advance(pause - time.Millisecond)
		c.get(t.Context(), 0)
		s.expectLoads(t, int64(i+1))
		s.clock.advance(time.Millisecond)
		if _, _, err := c.get(t.Context(), 0); err == nil {
			t.Fatal("get() succeeded, want an error")
		}
		s.expectLoads(t, int64(i+2))
	}
	s.fail(nil)
	s.clock.advance(loadInterval)
	if _, _, err := c.get(t.Context(), 0); err != nil {
		t.Fatalf("Context() failed: %v", err)
	}
}

// TestCachedInterval reloads an outdated value at most once per interval.
func TestCachedInterval(t *testing.T) {
	s, c := newSource(24 * time.Hour)
	_, generation, _ := c.get(t.Context(), 0)
	for range 100 {
		if _, again, err := c.get(t.Context(), generation); again != generation || err != nil {
			t.Fatalf("get() = %d, %v", again, err)
		}
	}
	s.expectLoads(t, 1)
	s.clock.advance(loadInterval)
	if value, again, err := c.get(t.Context(), generation); value != 2 || again == generation || err != nil {
		t.Fatalf("get() = %d, %d, %v", value, again, err)
	}
	down := errors.New("down")
	s.fail(down)
	s.clock.advance(loadInterval)
	if _, _, err := c.get(t.Context(), generation+1); !errors.Is(err, down) {
		t.Errorf("get() of an outdated value failed with %v, want the error of the load", err)
	}
	if value, _, err := c.get(t.Context(), 0); value != 2 || err != nil {
		t.Errorf("get() = %d, %v", value, err)
	}
	s.expectLoads(t, 3)
}

// TestCachedSingleFlight shares one load among all callers, also after its first
// caller has given up.
func TestCachedSingleFlight(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var loads atomic.Int64
	c := newCached(func(ctx context.Context) (int64, error) {
		loads.Add(1)
		close(begun)
		<-release
		return 7, ctx.Err()
	}, time.Hour, (&clock{now: testTime}).Now, time.Minute)

	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, _, err := c.get(leaving, 0)
		left <- err
	}()
	<-begun
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if value, _, err := c.get(t.Context(), 0); value != 7 || err != nil {
				t.Errorf("get() = %d, %v", value, err)
			}
		})
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("get() = %v", err)
	}
	close(release)
	callers.Wait()
	if loads.Load() != 1 {
		t.Errorf("number of loads = %d, want 1", loads.Load())
	}
}

// TestCachedPanic reports a panic in a decoder as a failure of the provider.
func TestCachedPanic(t *testing.T) {
	c := newCached(func(context.Context) (int, error) { panic("decoder") }, time.Hour, time.Now, time.Minute)
	_, _, err := c.get(t.Context(), 0)
	wants(t, err, authcore.ErrProviderFailed)
}

// TestCachedTimeout ends a load that hangs.
func TestCachedTimeout(t *testing.T) {
	c := newCached(func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}, time.Hour, time.Now, time.Millisecond)
	if _, _, err := c.get(t.Context(), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("get() = %v", err)
	}
}
