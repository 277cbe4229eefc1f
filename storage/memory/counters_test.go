package memory

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func countOnce(t *testing.T, c *Counters, now time.Time, limit, party string, window time.Duration) authcore.Tally {
	t.Helper()
	got, err := c.Count(t.Context(), now, []authcore.Counter{{Limit: limit, Party: party, Window: window, Add: 1}})
	if err != nil || len(got) != 1 {
		t.Fatalf("Count(%s) = %v, error %v, want one tally", party, got, err)
	}
	return got[0]
}

// kept returns the number of counters that are kept for a limit.
func kept(c *Counters, limit string) int {
	if c.limits[limit] == nil {
		return 0
	}
	return c.limits[limit].ItemCount()
}

func TestSweepDeletesCountersThatEnded(t *testing.T) {
	store := New()
	for i := range 1000 {
		countOnce(t, store.counters, origin, "a", fmt.Sprint(i), time.Duration(1+i%2)*time.Hour)
	}
	store.counters.Sweep(origin.Add(time.Hour - 1))
	if got := kept(store.counters, "a"); got != 1000 {
		t.Errorf("Sweep before the end left %d counters, want 1000", got)
	}
	store.counters.Sweep(origin.Add(time.Hour))
	if got := kept(store.counters, "a"); got != 500 {
		t.Errorf("Sweep after an hour left %d counters, want 500", got)
	}
	if _, err := store.Sweep(t.Context(), origin.Add(2*time.Hour)); err != nil || kept(store.counters, "a") != 0 {
		t.Errorf("Store.Sweep left %d counters, error %v, want none", kept(store.counters, "a"), err)
	}
}

// A flood of new parties must not take all memory (CWE-770), and must not drop
// the flooder's own long-lived counter before those that end soon.
func TestFloodOfCountersIsBounded(t *testing.T) {
	c := NewCounters()
	c.max = 100
	countOnce(t, c, origin, "a", "attacker", 24*time.Hour)
	countOnce(t, c, origin, "a", "victim", time.Second)
	for i := range 10_000 {
		countOnce(t, c, origin, "a", fmt.Sprint(i), time.Hour)
		if got := kept(c, "a"); got > c.max {
			t.Fatalf("%d counters are kept, want %d at most", got, c.max)
		}
	}
	if got := countOnce(t, c, origin, "a", "attacker", 24*time.Hour); got.N != 2 {
		t.Errorf("the counter with the longest window = %d after the flood, want 2", got.N)
	}
	if got := countOnce(t, c, origin, "a", "victim", time.Second); got.N != 1 {
		t.Errorf("the counter with the shortest window = %d after the flood, want 1", got.N)
	}
}

// A flood for one limit must not evict the counters of another: an address that
// is throttled could free itself (CWE-770).
func TestFloodOfOneLimitLeavesTheOthers(t *testing.T) {
	c := NewCounters()
	c.max = 100
	countOnce(t, c, origin, "login-ip", "192.0.2.1", time.Minute)
	for i := range 1000 {
		countOnce(t, c, origin, "link-address", fmt.Sprint(i), 15*time.Minute)
	}
	if got := countOnce(t, c, origin, "login-ip", "192.0.2.1", time.Minute); got.N != 2 {
		t.Errorf("the counter of the other limit = %d, want 2", got.N)
	}
}

// A clock that was a year ahead for a moment must not pin a window for a year, and
// setting it right must not reset a limit.
func TestClockThatWasAhead(t *testing.T) {
	c := NewCounters()
	countOnce(t, c, origin.AddDate(1, 0, 0), "a", "a", time.Hour)
	got := countOnce(t, c, origin, "a", "a", time.Hour)
	if got.N != 2 || !got.Reset.Equal(origin.Add(time.Hour)) {
		t.Errorf("Count after the clock was set right = %+v, want 2 until an hour later", got)
	}
	if got := countOnce(t, c, origin.Add(time.Hour), "a", "a", time.Hour); got.N != 1 {
		t.Errorf("Count one window later = %+v, want 1", got)
	}
}

func TestCountAdds(t *testing.T) {
	c := NewCounters()
	counter := authcore.Counter{Limit: "a", Party: "a", Window: time.Hour}
	for i, test := range []struct{ add, want int }{{-1, 0}, {0, 0}, {2, 2}, {0, 2}, {-1, 1}, {-5, 0}, {1, 1}} {
		counter.Add = test.add
		got, err := c.Count(t.Context(), origin, []authcore.Counter{counter})
		if err != nil || got[0].N != test.want {
			t.Errorf("Count %d with Add %d = %v, error %v, want %d", i, test.add, got, err, test.want)
		}
	}
	counter.Party, counter.Add = "reader", 0
	if _, err := c.Count(t.Context(), origin, []authcore.Counter{counter}); err != nil || kept(c, "a") != 1 {
		t.Errorf("Count with Add 0 left %d counters, error %v, want no new one", kept(c, "a"), err)
	}
}

func TestCountWithEndedContext(t *testing.T) {
	if _, err := NewCounters().Count(ended(t), origin, nil); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Count with an ended context = error %v, want ErrUnavailable", err)
	}
}
