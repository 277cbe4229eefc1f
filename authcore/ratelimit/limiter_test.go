package ratelimit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var errDown = fmt.Errorf("%w: down", authcore.ErrUnavailable)

// counters is an authcore.Counters in memory.
type counters struct {
	mu     sync.Mutex
	values map[authcore.Counter]authcore.Tally
	// act, if set, runs before a call, which fails with its error.
	act   func(context.Context) error
	calls int
}

func newCounters() *counters { return &counters{values: map[authcore.Counter]authcore.Tally{}} }

func (c *counters) Count(ctx context.Context, now time.Time, list []authcore.Counter) ([]authcore.Tally, error) {
	c.mu.Lock()
	c.calls++
	act := c.act
	c.mu.Unlock()
	if act != nil {
		if err := act(ctx); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: no answer: %w", authcore.ErrUnavailable, ctx.Err())
	}
	return c.add(now, list), nil
}

func (c *counters) add(now time.Time, list []authcore.Counter) []authcore.Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	tallies := make([]authcore.Tally, 0, len(list))
	for _, counter := range list {
		add := counter.Add
		counter.Add = 0
		tally := c.values[counter]
		if !now.Before(tally.Reset) {
			tally = authcore.Tally{Reset: now.Add(counter.Window)}
		}
		tally.N = max(0, tally.N+add)
		c.values[counter] = tally
		tallies = append(tallies, tally)
	}
	return tallies
}

func (c *counters) set(act func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.act = act
}

// n returns the value of a counter of a window of an hour.
func (c *counters) n(limit, party string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[authcore.Counter{Limit: limit, Party: party, Window: time.Hour}].N
}

func down(context.Context) error { return errDown }

func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w: no answer: %w", authcore.ErrUnavailable, ctx.Err())
}

func check(name, party string, n int) Check {
	return Check{Name: name, Party: party, Rate: Rate{N: n, Window: time.Hour}}
}

// statusOf returns the status of an error, and 200 of nil.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok {
		return 0
	}
	return public.Status
}

func wantStatus(t *testing.T, what string, err error, want int) {
	t.Helper()
	if got := statusOf(err); got != want {
		t.Errorf("%s: status %d, want %d (%v)", what, got, want, err)
	}
}

func TestCharge(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	store := newCounters()
	l := New(Config{Store: store, Now: func() time.Time { return now }})
	charge := func(what string, want int, checks ...Check) {
		t.Helper()
		wantStatus(t, what, l.Charge(t.Context(), checks), want)
	}
	for range 3 {
		charge("within the rate", 200, check("login", "a", 3))
	}
	charge("over the rate", 429, check("login", "a", 3))
	charge("another party", 200, check("login", "b", 3))
	charge("another limit", 200, check("mail", "a", 3))
	charge("no limit", 200, check("login", "a", 0))
	charge("no party", 200, check("login", "", 1), check("login", "", 1))
	charge("nothing", 200)

	now = now.Add(59*time.Minute + 30*time.Second + time.Millisecond)
	err := l.Charge(t.Context(), []Check{check("login", "a", 3)})
	public, _ := errors.AsType[*authcore.Error](err)
	if public == nil || public.Code != authcore.CodeThrottled || public.RetryAfter != 30*time.Second ||
		public.Detail != "Request was throttled. Expected available in 30 seconds." {
		t.Errorf("Charge: error is %+v, want throttled for 30 seconds", public)
	}
	now = now.Add(30 * time.Second)
	charge("in the next window", 200, check("login", "a", 3))
}

// A refused request counts against no budget: otherwise one party could use up the
// budgets of all others (CWE-770), and would extend its own refusal.
func TestRefusedRequestsDoNotCount(t *testing.T) {
	store := newCounters()
	l := New(Config{Store: store})
	checks := []Check{check("address", "ann", 5), check("ip", "192.0.2.7", 2), check("overall", "all", 100)}
	for i := range 50 {
		want := 200
		if i >= 2 {
			want = 429
		}
		wantStatus(t, "request", l.Charge(t.Context(), checks), want)
	}
	if calls := store.calls; calls != 2*2+48 {
		t.Errorf("the store was called %d times, want %d: refused requests only read", calls, 2*2+48)
	}
	for party, limit := range map[string]string{"ann": "address", "192.0.2.7": "ip", "all": "overall"} {
		if n := store.n(limit, party); n != 2 {
			t.Errorf("counter %s of %s is %d, want 2", limit, party, n)
		}
	}
}

// Of concurrent requests no more than the rate succeed, and the others leave no
// trace in the wider budgets.
func TestConcurrentRequests(t *testing.T) {
	store := newCounters()
	l := New(Config{Store: store})
	checks := []Check{check("ip", "192.0.2.7", 10), check("overall", "all", 1000)}
	var group sync.WaitGroup
	results := make(chan int, 100)
	for range 100 {
		group.Go(func() { results <- statusOf(l.Charge(t.Context(), checks)) })
	}
	group.Wait()
	close(results)
	passed := 0
	for status := range results {
		if status == 200 {
			passed++
		}
	}
	if passed > 10 || store.n("overall", "all") != passed || store.n("ip", "192.0.2.7") != passed {
		t.Errorf("%d requests passed, want 10 at most; counters are %d and %d, want the same number",
			passed, store.n("ip", "192.0.2.7"), store.n("overall", "all"))
	}
}

// A request that another one overtakes between reading and counting is refused and
// taken back.
func TestOvertakenRequestIsTakenBack(t *testing.T) {
	store := newCounters()
	l := New(Config{Store: store})
	store.set(func(context.Context) error {
		if store.calls == 2 {
			store.add(time.Now(), []authcore.Counter{{Limit: "ip", Party: "a", Window: time.Hour, Add: 1}})
		}
		return nil
	})
	err := l.Charge(t.Context(), []Check{check("ip", "a", 1), check("overall", "all", 5)})
	wantStatus(t, "overtaken request", err, 429)
	if ip, overall := store.n("ip", "a"), store.n("overall", "all"); ip != 1 || overall != 0 {
		t.Errorf("counters are %d and %d, want 1 and 0", ip, overall)
	}
}

func TestDoRefunds(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		counts int
	}{
		"success":        {nil, 1},
		"wrong code":     {&authcore.Error{Status: 400}, 1},
		"unavailable":    {authcore.Unavailable(errDown), 0},
		"provider fault": {&authcore.Error{Status: 502}, 0},
		"wrapped":        {fmt.Errorf("login: %w", &authcore.Error{Status: 403}), 1},
		"internal":       {errors.New("bug"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			store := newCounters()
			l := New(Config{Store: store})
			ctx, cancel := context.WithCancel(t.Context())
			err := l.Do(ctx, []Check{check("ip", "a", 5), check("overall", "all", 5)}, func() error {
				if n := store.n("ip", "a"); n != 1 {
					t.Errorf("counter is %d during the work, want 1", n)
				}
				cancel() // The client disconnects: the refund happens all the same.
				return test.err
			})
			if !errors.Is(err, test.err) {
				t.Errorf("Do: error is %v, want %v", err, test.err)
			}
			if ip, overall := store.n("ip", "a"), store.n("overall", "all"); ip != test.counts || overall != test.counts {
				t.Errorf("counters are %d and %d, want %d", ip, overall, test.counts)
			}
		})
	}
}

func TestDoWithoutWork(t *testing.T) {
	l := New(Config{Store: newCounters()})
	_ = l.Charge(t.Context(), []Check{check("ip", "a", 1)})
	err := l.Do(t.Context(), []Check{check("ip", "a", 1)}, func() error {
		t.Error("Do did the work of a refused request")
		return nil
	})
	wantStatus(t, "over the rate", err, 429)
}

func TestWithoutLocalCounters(t *testing.T) {
	store := newCounters()
	store.set(down)
	l := New(Config{Store: store})
	err := l.Charge(t.Context(), []Check{check("ip", "a", 1)})
	wantStatus(t, "store down", err, 503)
}

// Limits hold while the store cannot count: otherwise an attacker who slows the
// store down could guess and cause mail without a limit (CWE-307, CWE-799).
func TestLimitsWithoutTheStore(t *testing.T) {
	for name, act := range map[string]func(context.Context) error{"down": down, "hanging": hang} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				store, local := newCounters(), newCounters()
				l := New(Config{Store: store, Local: local, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				charge := func(what string, want int) {
					t.Helper()
					wantStatus(t, what, l.Charge(t.Context(), []Check{check("ip", "a", 3)}), want)
				}
				store.set(act)
				for range 3 {
					charge("counted locally", 200)
				}
				calls, began := store.calls, time.Now()
				charge("over the rate", 429)
				if store.calls != calls || time.Since(began) != 0 {
					t.Errorf("the store was asked %d times and waited for %s during the pause", store.calls-calls, time.Since(began))
				}
				<-time.After(recountInterval + time.Second)
				store.set(nil)
				for range 3 {
					charge("counted in the store again", 200)
				}
				charge("over the rate of the store", 429)
				for _, message := range []string{"counting requests on this node only", "counting requests in the store again"} {
					if n := bytes.Count(log.Bytes(), []byte(message)); n != 1 {
						t.Errorf("log has %q %d times, want once:\n%s", message, n, log.String())
					}
				}
			})
		})
	}
}

// What was counted locally is refunded locally.
func TestRefundWithoutTheStore(t *testing.T) {
	store, local := newCounters(), newCounters()
	l := New(Config{Store: store, Local: local})
	store.set(down)
	_ = l.Do(t.Context(), []Check{check("ip", "a", 3)}, func() error {
		store.set(nil)
		return errDown
	})
	if n := local.n("ip", "a"); n != 0 {
		t.Errorf("the local counter is %d, want 0", n)
	}
}

// A clock that is set back does not keep a node from the store.
func TestClockBackEndsThePause(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	store := newCounters()
	l := New(Config{Store: store, Local: newCounters(), Now: func() time.Time { return now }})
	store.set(down)
	_ = l.Charge(t.Context(), []Check{check("ip", "a", 3)})
	store.set(nil)
	now = now.Add(-time.Hour)
	calls := store.calls
	_ = l.Charge(t.Context(), []Check{check("ip", "a", 3)})
	if store.calls == calls {
		t.Error("the store is not asked after the clock was set back")
	}
}
