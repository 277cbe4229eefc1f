package memory

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// feed is the list of revocations in the order in which they were made. A cursor
// is the number of the last entry that its holder has seen.
type feed struct {
	last    uint64
	entries []entry // by number, ascending
	numbers map[revocationKey]uint64
	dead    int // entries that were replaced and wait for compact
}

type revocationKey struct {
	kind gate.RevocationKind
	id   string
}

type entry struct {
	number     uint64
	revocation authcore.Revocation
	// forget is when nobody needs the entry any more. For an entry that lifts a
	// revocation that is when the lifted one would have ended: until then some
	// node may still hold it.
	forget   time.Time
	replaced bool
}

func newFeed() feed { return feed{numbers: make(map[revocationKey]uint64)} }

func (f *feed) add(revocation authcore.Revocation) {
	key := revocationKey{kind: revocation.Kind, id: revocation.ID}
	forget := revocation.Until
	if number, found := f.numbers[key]; found {
		former := &f.entries[f.position(number)]
		former.replaced = true
		f.dead++
		if former.forget.After(forget) {
			forget = former.forget
		}
	}
	f.last++
	f.numbers[key] = f.last
	f.entries = append(f.entries, entry{number: f.last, revocation: revocation, forget: forget})
	if f.dead > len(f.entries)/2 {
		f.compact()
	}
}

// since returns what was added after the cursor. A cursor that this feed never
// gave out belongs to another life of the store; its holder has missed
// everything and gets everything.
func (f *feed) since(cursor string) ([]authcore.Revocation, string) {
	seen, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil || seen > f.last {
		seen = 0
	}
	var revocations []authcore.Revocation
	for _, e := range f.entries[f.position(seen+1):] {
		if !e.replaced {
			revocations = append(revocations, e.revocation)
		}
	}
	return revocations, strconv.FormatUint(f.last, 10)
}

func (f *feed) sweep(now time.Time) {
	for i := range f.entries {
		e := &f.entries[i]
		if !e.replaced && !now.Before(e.forget) {
			delete(f.numbers, revocationKey{kind: e.revocation.Kind, id: e.revocation.ID})
			e.replaced = true
		}
	}
	f.compact()
}

// position returns where the entry with this number stands, or would stand.
func (f *feed) position(number uint64) int {
	return sort.Search(len(f.entries), func(i int) bool { return f.entries[i].number >= number })
}

func (f *feed) compact() {
	f.entries = slices.DeleteFunc(f.entries, func(e entry) bool { return e.replaced })
	f.dead = 0
}
