package authcore

import (
	"strconv"
	"testing"
)

// Absent keys are remembered up to a bound, the latest one always.
func TestAbsentKeysAreBounded(t *testing.T) {
	l := newKeyLookup(nil)
	for i := range 3 * maxAbsent {
		id := strconv.Itoa(i)
		if l.remember(id); l.absent[id].IsZero() || len(l.absent) > maxAbsent {
			t.Fatalf("after %d: %d are remembered, the last one until %s", i, len(l.absent), l.absent[id])
		}
	}
}

// BenchmarkRemember is about a flood: all places are taken by keys that were
// asked for a moment ago.
func BenchmarkRemember(b *testing.B) {
	l := newKeyLookup(nil)
	for i := range maxAbsent {
		l.remember("k" + strconv.Itoa(i))
	}
	for i := 0; b.Loop(); i++ {
		l.remember(strconv.Itoa(i))
	}
}
