package revocation

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// run runs the follower until stop is called.
func (f *Follower) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// pass lets virtual time pass in a bubble of synctest.
func pass(d time.Duration) { <-time.After(d) }

// A revocation of another node is in force immediately after a notification, and
// within PollInterval if notifications are lost.
func TestRun(t *testing.T) {
	for name, test := range map[string]struct {
		watch func(context.Context) error
		bound time.Duration
	}{
		"notified":         {nil, 0},
		"watch hangs":      {hang, PollInterval},
		"watch breaks":     {down, PollInterval},
		"watch is refused": {func(context.Context) error { return nil }, PollInterval},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &feedStore{watch: test.watch}
				f := New(Config{Store: store})
				defer f.run(t)()
				pass(time.Minute + 100*time.Millisecond)
				store.add(session("a", time.Now().Add(day)))
				if test.bound == 0 {
					synctest.Wait()
				} else {
					pass(test.bound)
				}
				wantInForce(t, "after "+test.bound.String(), f, "a")
				if age := f.Age(); age > PollInterval {
					t.Errorf("Age = %s, want %s at most", age, PollInterval)
				}
			})
		})
	}
}

// A read that waits on a dead connection is given up, and the next one finds a good
// one. Reads do not pile up behind it.
func TestPollingSurvivesADeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &feedStore{watch: hang}
		f := New(Config{Store: store})
		defer f.run(t)()
		pass(time.Second + 100*time.Millisecond)
		before, _ := store.calls()
		store.set(hang, hang)
		pass(time.Second) // One read hangs now.
		store.set(nil, hang)
		if reads, _ := store.calls(); reads-before != 1 {
			t.Errorf("%d reads began while one hangs, want 1", reads-before)
		}
		store.add(session("a", time.Now().Add(day)))
		pass(refreshTimeout)
		wantInForce(t, "after the read was given up", f, "a")
	})
}

// A watch that breaks repeatedly begins again, with growing delays.
func TestWatchBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &feedStore{watch: down}
		f := New(Config{Store: store})
		defer f.run(t)()
		pass(time.Minute)
		if _, n := store.calls(); n < 10 || n > 20 {
			t.Errorf("the watch began %d times in a minute, want 10 to 20", n)
		}
		store.set(nil, nil)
		pass(maxWatchDelay)
		_, before := store.calls()
		pass(time.Minute)
		if _, n := store.calls(); n != before {
			t.Errorf("the watch began again %d times although it did not break", n-before)
		}
	})
}

// An outage is logged when it begins, when the copy is too old, and when it ends.
func TestOutageIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := &feedStore{}
		f := New(Config{
			Store: store, MaxStaleness: 10 * time.Second, OnStale: "serve",
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		stop := f.run(t)
		pass(time.Second)
		store.set(down, nil)
		pass(11 * time.Second)
		if age := f.Age(); age < 10*time.Second || age > 12*time.Second {
			t.Errorf("Age = %s, want 11s", age)
		}
		pass(time.Minute)
		store.set(nil, nil)
		pass(time.Second)
		stop()
		for message, want := range map[string]int{
			"reading revocations failed; retrying":    1,
			"revocations of other nodes are missing":  3,
			"reading revocations succeeded again":     1,
			"watching revocations failed":             0,
			"on_stale=serve":                          3,
			"revocation_max_staleness=10s on_stale=s": 3,
		} {
			if n := bytes.Count(log.Bytes(), []byte(message)); n != want {
				t.Errorf("log has %q %d times, want %d:\n%s", message, n, want, log.String())
			}
		}
	})
}
