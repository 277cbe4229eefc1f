package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// unnamed returns the counters of the limit that these tests count for.
func unnamed(c *Counters) *limitTable { return c.limits[""] }

func countOnce(t *testing.T, c *Counters, now time.Time, key string, window time.Duration) authcore.Tally {
	t.Helper()
	got, err := c.Count(t.Context(), now, []authcore.Counter{{Party: key, Window: window}})
	if err != nil || len(got) != 1 {
		t.Fatalf("Count: %v, error %v", got, err)
	}
	return got[0]
}

func TestExpiredCountersAreForgotten(t *testing.T) {
	c := NewCounters()
	for i := range 1000 {
		countOnce(t, c, origin, fmt.Sprint(i), time.Duration(1+i%2)*time.Hour)
	}
	countOnce(t, c, origin.Add(time.Hour), "later", time.Hour)
	if len(unnamed(c).byName) != 501 || len(unnamed(c).queue) != 501 {
		t.Errorf("%d counters in a queue of %d, want the 501 that are live", len(unnamed(c).byName), len(unnamed(c).queue))
	}
	store := New()
	store.counters = c
	if err := store.Sweep(t.Context(), origin.Add(3*time.Hour)); err != nil || len(unnamed(c).byName)+len(unnamed(c).queue) != 0 {
		t.Errorf("after Sweep: %d counters in a queue of %d, error %v", len(unnamed(c).byName), len(unnamed(c).queue), err)
	}
}

// Windows of the same key are counted apart: a limit per minute and one per day
// may be named alike.
func TestWindowsAreApart(t *testing.T) {
	c := NewCounters()
	countOnce(t, c, origin, "a", time.Hour)
	if got := countOnce(t, c, origin, "a", time.Minute); got.N != 1 {
		t.Errorf("first count in the other window: %d", got.N)
	}
	if got := countOnce(t, c, origin, "a", time.Hour); got.N != 2 {
		t.Errorf("second count: %d", got.N)
	}
}
