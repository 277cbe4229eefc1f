package postgres

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func (s snapshot) sees(xid uint64) bool { return xid < s.end && !slices.Contains(s.open, xid) }

// advance keeps exactly what was seen before and what was read now.
func TestAdvance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		before := snapshot{end: 1 + random.Uint64N(20)}
		now := snapshot{end: before.end + random.Uint64N(20)}
		for xid := range now.end {
			if xid > 0 && random.IntN(3) == 0 {
				now.open = append(now.open, xid)
			}
		}
		for xid := range before.end {
			if xid > 0 && (!now.sees(xid) || random.IntN(3) == 0) {
				before.open = append(before.open, xid)
			}
		}
		last := 1 + random.Uint64N(now.end)
		if !now.sees(last) {
			continue
		}
		got := before.advance(now, last)
		for xid := range now.end + 1 {
			if want := before.sees(xid) || xid <= last && now.sees(xid); xid > 0 && got.sees(xid) != want {
				t.Fatalf("%s advanced to %d of %s = %s, sees %d: %v, want %v", before, last, now, got, xid, !want, want)
			}
		}
		if parsed, err := parseSnapshot(got.String()); err != nil || parsed.String() != got.String() {
			t.Fatalf("parseSnapshot(%s) = %s, error %v", got, parsed, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, text := range []string{"n.5:9:6,7", "n.5:9:", ".", "n.9:5:", "n.5:9:9", "n.5:9:6,6", "n.0:1:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		nonce, seen := parseCursor(text)
		if nonce == "" && seen.end != 1 && text[0] != '.' {
			t.Errorf("parseCursor(%q) = %q, %s, want the beginning", text, nonce, seen)
		}
		if again, err := parseSnapshot(seen.String()); err != nil || again.String() != seen.String() {
			t.Errorf("parseCursor(%q): %s is not a snapshot, error %v", text, seen, err)
		}
	})
}
