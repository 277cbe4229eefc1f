package gate

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// feedEntry is a revocation in the feed.
type feedEntry struct {
	id revocationID
	// until is the time at which the entry ends, in seconds since 1970. In a
	// delta, 0 lifts an earlier entry.
	until uint32
}

func sortEntries(entries []feedEntry) {
	slices.SortFunc(entries, func(a, b feedEntry) int { return cmp.Compare(a.id, b.id) })
}

// feedEntrySize is the length of an entry in a feedList.
const feedEntrySize = 12

// feedList holds entries of 12 bytes in ascending order of their IDs: 8 bytes of
// the ID and 4 of the end, big-endian. A list that was decoded can be searched as
// it is.
type feedList []byte

func newFeedList(entries []feedEntry) feedList {
	list := make(feedList, 0, len(entries)*feedEntrySize)
	for _, e := range entries {
		list = list.append(e)
	}
	return list
}

func (l feedList) append(e feedEntry) feedList {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(l, uint64(e.id)), e.until)
}

func (l feedList) len() int { return len(l) / feedEntrySize }

func (l feedList) id(i int) revocationID {
	return revocationID(binary.BigEndian.Uint64(l[i*feedEntrySize:]))
}

func (l feedList) at(i int) feedEntry {
	return feedEntry{l.id(i), binary.BigEndian.Uint32(l[i*feedEntrySize+8:])}
}

func (l feedList) has(id revocationID) bool {
	i := l.search(id)
	return i < l.len() && l.id(i) == id
}

// search returns the position of the first entry whose ID is not below id.
func (l feedList) search(id revocationID) int {
	return sort.Search(l.len(), func(i int) bool { return l.id(i) >= id })
}

// valid reports whether the list can be searched, and whether every entry ends
// unless entries may be lifted.
func (l feedList) valid(mayLift bool) bool {
	if len(l)%feedEntrySize != 0 {
		return false
	}
	for i := range l.len() {
		if i > 0 && l.id(i-1) >= l.id(i) || !mayLift && l.at(i).until == 0 {
			return false
		}
	}
	return true
}

// merge returns a new list with the entries of both. Those of changes replace
// those of l. Entries that end at or before cutoff are left out, and with them
// lifted ones.
func (l feedList) merge(changes feedList, cutoff int64) feedList {
	merged := make(feedList, 0, len(l)+len(changes))
	keep := func(e feedEntry) {
		if e.until > 0 && int64(e.until) > cutoff {
			merged = merged.append(e)
		}
	}
	i := 0
	for j := range changes.len() {
		e := changes.at(j)
		for ; i < l.len() && l.id(i) < e.id; i++ {
			keep(l.at(i))
		}
		if i < l.len() && l.id(i) == e.id {
			i++
		}
		keep(e)
	}
	for ; i < l.len(); i++ {
		keep(l.at(i))
	}
	return merged
}
