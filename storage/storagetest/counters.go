package storagetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func counterChecks() []check {
	return []check{
		{"CountsWithinTheWindow", func(t *testing.T, store authcore.Store) {
			counter := authcore.Counter{Party: "ip:192.0.2.1", Window: time.Hour}
			count(t, store, 0, counter, 1, time.Hour)
			count(t, store, 10*time.Minute, counter, 2, time.Hour)
			count(t, store, time.Hour-time.Millisecond, counter, 3, time.Hour)
			count(t, store, time.Hour, counter, 1, 2*time.Hour)
			count(t, store, 5*time.Hour, counter, 1, 6*time.Hour)
		}},
		{"KeysAreApart", func(t *testing.T, store authcore.Store) {
			for _, key := range []string{"a", "b", "A", "a:b", ""} {
				counter := authcore.Counter{Party: key, Window: time.Hour}
				count(t, store, 0, counter, 1, time.Hour)
			}
		}},
		{"BatchInOrder", func(t *testing.T, store authcore.Store) {
			minute := authcore.Counter{Party: "minute", Window: time.Minute}
			hour := authcore.Counter{Party: "hour", Window: time.Hour}
			day := authcore.Counter{Party: "day", Window: 24 * time.Hour}
			count(t, store, 0, hour, 1, time.Hour)
			got, err := store.Count(t.Context(), at(time.Second), []authcore.Counter{minute, hour, day})
			wantErr(t, "Count", err, nil)
			wantTallies(t, got, []authcore.Tally{
				{N: 1, Reset: at(time.Second + time.Minute)},
				{N: 2, Reset: at(time.Hour)},
				{N: 1, Reset: at(time.Second + 24*time.Hour)},
			})
			got, err = store.Count(t.Context(), start, nil)
			wantErr(t, "Count of nothing", err, nil)
			wantTallies(t, got, nil)
		}},
		{"ExactUnderConcurrency", countRace},
	}
}

// count counts once and checks value and end of the window.
func count(
	t *testing.T, store authcore.Store, now time.Duration, counter authcore.Counter, n int, reset time.Duration,
) {
	t.Helper()
	got, err := store.Count(t.Context(), at(now), []authcore.Counter{counter})
	wantErr(t, "Count", err, nil)
	wantTallies(t, got, []authcore.Tally{{N: n, Reset: at(reset)}})
}

func wantTallies(t *testing.T, got, want []authcore.Tally) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b authcore.Tally) bool {
		return a.N == b.N && a.Reset.Equal(b.Reset)
	}) {
		t.Errorf("tallies %v, want %v", got, want)
	}
}

// countRace: every caller gets a value of its own, so that of many requests at
// once no more than the limit pass.
func countRace(t *testing.T, store authcore.Store) {
	counters := []authcore.Counter{{Party: "a", Window: time.Hour}, {Party: "b", Window: time.Minute}}
	var mu sync.Mutex
	var a, b []int
	together(crowd, func(i int) {
		order := slices.Clone(counters)
		if i%2 == 1 { // engines that lock row by row deadlock here
			slices.Reverse(order)
		}
		tallies, err := store.Count(t.Context(), start, order)
		if err != nil || len(tallies) != 2 {
			t.Errorf("Count: %v, error %v", tallies, err)
			return
		}
		if i%2 == 1 {
			slices.Reverse(tallies)
		}
		mu.Lock()
		defer mu.Unlock()
		a, b = append(a, tallies[0].N), append(b, tallies[1].N)
	})
	for _, got := range [][]int{a, b} {
		slices.Sort(got)
		for i, n := range got {
			if n != i+1 {
				t.Fatalf("%d counts gave the values %v, want each of 1 to %d once", crowd, got, crowd)
			}
		}
	}
}
