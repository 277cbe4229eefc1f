package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// slack is the time that a check may take on a busy machine, for engines whose
// own clock proceeds meanwhile.
const slack = time.Minute

func counterChecks(config Config) []check {
	checks := []check{
		{"Values", countValues},
		{"NamesAreExact", func(t *testing.T, store authcore.Store) {
			for _, limit := range []string{"a", "b", "a:", ""} {
				for _, party := range []string{"a", "b", ":a", "A", "a:b", "", "2001:db8::/64", "é{}*"} {
					for _, window := range []time.Duration{time.Hour, 2 * time.Hour} {
						wantCount(t, store, start, authcore.Counter{Limit: limit, Party: party, Window: window}, 1, 1)
					}
				}
			}
		}},
		{"ExactUnderConcurrency", countRace},
		{"WrongClockPinsNoWindow", func(t *testing.T, store authcore.Store) { wrongClock(t, config, store) }},
	}
	if config.MaxCounters > 0 {
		checks = append(checks, check{"BoundForEachLimit", func(t *testing.T, store authcore.Store) {
			countBound(t, store, config.MaxCounters)
		}})
	}
	if config.Clock { // its windows end in real time
		return append(checks, check{"ClockOfANodeIsAhead", aheadClock})
	}
	return append(checks, check{"WindowEnds", windowEnds})
}

// count counts and checks the number of tallies.
func count(t *testing.T, store authcore.Store, now time.Time, counters ...authcore.Counter) []authcore.Tally {
	t.Helper()
	tallies, err := store.Count(t.Context(), now, counters)
	if err != nil || len(tallies) != len(counters) {
		t.Errorf("Count = %d tallies, error %v, want %d", len(tallies), err, len(counters))
		return make([]authcore.Tally, len(counters))
	}
	return tallies
}

// wantCount adds to one counter and checks value and end of the window.
func wantCount(t *testing.T, store authcore.Store, now time.Time, counter authcore.Counter, add, n int) {
	t.Helper()
	counter.Add = add
	tally := count(t, store, now, counter)[0]
	latest := now.Add(counter.Window)
	if tally.N != n || tally.Reset.After(latest.Add(time.Second)) || n > 0 && tally.Reset.Before(latest.Add(-slack)) {
		t.Errorf("Count(%+v) = %d until %v, want %d until %v", counter, tally.N, tally.Reset, n, latest)
	}
}

func countValues(t *testing.T, store authcore.Store) {
	counter := authcore.Counter{Limit: "link", Party: "ip:192.0.2.1", Window: time.Hour}
	values := []int{0, 0, 1, 2, 2, 7, 4, 0, 1, 0, 0}
	for i, add := range []int{0, -1, 1, 1, 0, 5, -3, -9, 1, -1, 0} {
		wantCount(t, store, start, counter, add, values[i])
	}
	// Several in one call, in their order, and one of them twice.
	other := counter
	other.Party = "other"
	counter.Add, other.Add = 1, 1
	tallies := count(t, store, start, counter, other, counter)
	if tallies[0].N != 1 || tallies[1].N != 1 || tallies[2].N != 2 {
		t.Errorf("Count(a, b, a) = %v, want the values 1, 1 and 2", tallies)
	}
	count(t, store, start)
}

// windowEnds: the window opens with the first count, not with the last.
func windowEnds(t *testing.T, store authcore.Store) {
	counter := authcore.Counter{Limit: "link", Party: "a", Window: time.Hour, Add: 1}
	values, ends := []int{1, 2, 3, 1, 1}, []time.Duration{time.Hour, time.Hour, time.Hour, 2 * time.Hour, 6 * time.Hour}
	for i, now := range []time.Duration{0, 10 * time.Minute, time.Hour - time.Millisecond, time.Hour, 5 * time.Hour} {
		reset := at(ends[i])
		if got := count(t, store, at(now), counter)[0]; got.N != values[i] || !got.Reset.Equal(reset) {
			t.Errorf("Count after %v = %v, want %d until %v", now, got, values[i], reset)
		}
	}
}

// wrongClock: a clock that jumps ahead and back makes no window longer, and
// resets no counter.
func wrongClock(t *testing.T, config Config, store authcore.Store) {
	counter := authcore.Counter{Limit: "link", Party: "a", Window: 15 * time.Minute}
	n := 0
	for _, now := range []time.Duration{day, 0, -time.Minute, -30 * day, -30 * day} {
		n++
		wantCount(t, store, at(now), counter, 1, n)
	}
	if config.Clock {
		wantCount(t, store, at(40*day), counter, 1, n+1) // the window is still open for the engine
		return
	}
	wantCount(t, store, at(-30*day+15*time.Minute), counter, 1, 1)
}

// aheadClock: the window that a node opened whose clock is 24 hours ahead ends
// after its length, for the engine and for all nodes.
func aheadClock(t *testing.T, store authcore.Store) {
	counter := authcore.Counter{Limit: "link", Party: "a", Window: time.Second, Add: 1}
	count(t, store, at(day), counter)
	counter.Add = 0
	for deadline := time.After(patience()); count(t, store, start, counter)[0].N != 0; {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatalf("a window of %s has not ended after %s", counter.Window, patience())
		}
	}
}

// countBound: a flood of parties neither grows without end nor evicts the
// counters of another limit.
func countBound(t *testing.T, store authcore.Store, most int) {
	guarded := authcore.Counter{Limit: "guarded", Party: "a", Window: time.Hour}
	wantCount(t, store, start, guarded, 1, 1)
	var flood []authcore.Counter
	for i := range 2 * most {
		flood = append(flood, authcore.Counter{Limit: "flood", Party: fmt.Sprint(i), Window: time.Hour, Add: 1})
	}
	for part := range slices.Chunk(flood, 1000) {
		count(t, store, start, part...)
	}
	sweep(t, store, start)
	kept := 0
	for part := range slices.Chunk(flood, 1000) {
		for i := range part {
			part[i].Add = 0
		}
		for _, tally := range count(t, store, start, part...) {
			kept += tally.N
		}
	}
	if kept > most || kept == 0 {
		t.Errorf("%d counters of one limit are kept, want 1 to %d", kept, most)
	}
	wantCount(t, store, start, guarded, 1, 2)
	newcomer := authcore.Counter{Limit: "flood", Party: "newcomer", Window: time.Hour}
	wantCount(t, store, start, newcomer, 1, 1)
	wantCount(t, store, start, newcomer, 1, 2)
}

// countRace: each caller gets a value of its own, so that of many simultaneous
// requests no more than the limit pass.
func countRace(t *testing.T, store authcore.Store) {
	counters := []authcore.Counter{
		{Limit: "a", Party: "a", Window: time.Hour, Add: 1}, {Limit: "b", Party: "b", Window: time.Minute, Add: 1},
	}
	var got [2][crowd]int
	together(crowd, func(i int) {
		order := slices.Clone(counters)
		if i%2 == 1 { // engines that lock row by row deadlock here
			slices.Reverse(order)
		}
		tallies := count(t, store, start, order...)
		got[0][i], got[1][i] = tallies[i%2].N, tallies[1-i%2].N
	})
	for k := range got {
		values := got[k][:]
		slices.Sort(values)
		for i, n := range values {
			if n != i+1 {
				t.Fatalf("%d counts returned %v, want each of 1 to %d once", crowd, values, crowd)
			}
		}
	}
}
