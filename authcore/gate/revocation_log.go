package gate

import (
	"slices"
	"strconv"
	"time"
)

// Limits of the deltas that an issuer makes.
const (
	// maxLog is the number of changes that are remembered for deltas, 32 bytes
	// each. A client that missed more gets the full list.
	maxLog = 1 << 16
	// feedOverlap is added to what a client missed, in seconds. The clocks of an
	// issuer's nodes may differ by as much, so that a client may ask one node for
	// what changed since it got a document from another one.
	feedOverlap = 120
	// maxSince is the age of the oldest cursor that gets a delta, in seconds.
	maxSince = 3600
	// maxLogAge is the age of a revocation from which on every cursor that gets a
	// delta includes it, with a margin of an hour. A node that has just started
	// reads many of them.
	maxLogAge = (maxSince+feedOverlap)*time.Second + time.Hour
)

// revocationLog remembers the latest changes. An entry is stamped with the time
// of the first Refreshed after it, which is never before the time at which it
// became visible to other nodes. The caller holds Revocations.applying.
type revocationLog struct {
	changes []change
	// stamped is the number of changes that have their stamp.
	stamped int
	// last is the latest stamp. Stamps never decrease, whatever the clock does.
	last int64
	// from is the earliest stamp of which all changes are present.
	from int64
	// lost is true from when a change without a stamp was dropped until the next
	// stamp.
	lost bool
}

// change is one applied revocation.
type change struct {
	stamp int64
	feedEntry
	list feedKind
}

// feedKind is the list of the feed to which an entry belongs.
type feedKind uint8

const (
	sessionsList feedKind = iota
	usersList
	rolesList
	feedKinds
)

func (l *revocationLog) add(added change) {
	if len(l.changes) >= 2*maxLog {
		l.drop(len(l.changes) - maxLog)
	}
	l.changes = append(l.changes, added)
}

// drop forgets the n oldest changes.
func (l *revocationLog) drop(n int) {
	if n > l.stamped {
		l.lost = true
	} else if n > 0 {
		l.from = l.changes[n-1].stamp + 1
	}
	l.changes = slices.Delete(l.changes, 0, n)
	l.stamped = max(0, l.stamped-n)
}

// stamp dates the changes that have no stamp yet.
func (l *revocationLog) stamp(at int64) {
	l.last = max(l.last, at)
	for i := l.stamped; i < len(l.changes); i++ {
		l.changes[i].stamp = l.last
	}
	l.stamped = len(l.changes)
	if l.lost {
		l.from, l.lost = l.last+1, false
	}
}

// since returns the changes with a stamp of from or later and those without one,
// each ID once, with the roles that users have now. It is false if some are no longer
// present.
func (l *revocationLog) since(from int64, now *roleSet) (lists feedLists, ok bool) {
	if l.lost || from < l.from {
		return feedLists{}, false
	}
	first := l.stamped
	for first > 0 && l.changes[first-1].stamp >= from {
		first--
	}
	byID := [feedKinds]map[revocationID]uint32{{}, {}, {}}
	for _, c := range l.changes[first:] {
		byID[c.list][c.id] = c.until
	}
	lists = feedLists{users: entriesOf(byID[usersList]), sessions: entriesOf(byID[sessionsList])}
	for _, entry := range entriesOf(byID[rolesList]) {
		change, found := now.get(entry.id)
		if !found { // it was lifted, or has expired
			change = roleChange{feedEntry: feedEntry{id: entry.id}}
		}
		lists.roles = append(lists.roles, change)
	}
	return lists, true
}

func entriesOf(byID map[revocationID]uint32) []feedEntry {
	entries := make([]feedEntry, 0, len(byID))
	for id, until := range byID {
		entries = append(entries, feedEntry{id, until})
	}
	sortEntries(entries)
	return entries
}

// FeedSince returns the cursor at which a delta for the cursor of a client begins
// if the document is issued at the given time, or "" if the client needs the full
// list. A delta may begin before the cursor that the client has. There are at most
// two dozen different results at a time, so that the documents can be cached.
func (r *Revocations) FeedSince(cursor string, issued time.Time) string {
	since, err := strconv.ParseInt(cursor, 10, 64)
	age := issued.Unix() - since
	if age < 0 && age >= -feedLeeway {
		// The client has a newer document of another node and is going to refuse
		// this one, which should be short.
		age, since = 0, issued.Unix()
	}
	if err != nil || since < maxSince || age < 0 || age > maxSince {
		return ""
	}
	step := int64(10)
	if age > feedOverlap {
		step = 600
	}
	since -= since % step
	r.applying.Lock()
	defer r.applying.Unlock()
	if r.log.lost || since-feedOverlap < r.log.from {
		return ""
	}
	return strconv.FormatInt(since, 10)
}
