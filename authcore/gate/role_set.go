package gate

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// roleSet holds the role changes that were given to Apply. Users whose roles changed are
// few, so that one lock is enough.
type roleSet struct {
	count atomic.Int64
	mu    sync.RWMutex
	byID  map[revocationID]roleChange
}

func (s *roleSet) put(change roleChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change.until == 0 {
		delete(s.byID, change.id)
	} else {
		if s.byID == nil {
			s.byID = map[revocationID]roleChange{}
		}
		s.byID[change.id] = change
	}
	s.count.Store(int64(len(s.byID)))
}

func (s *roleSet) get(id revocationID) (roleChange, bool) {
	if s.len() == 0 {
		return roleChange{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	change, found := s.byID[id]
	return change, found
}

func (s *roleSet) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byID, func(_ revocationID, change roleChange) bool { return int64(change.until) <= now.Unix() })
	s.byID = maps.Clone(s.byID) // a map never shrinks
	s.count.Store(int64(len(s.byID)))
}

func (s *roleSet) len() int { return int(s.count.Load()) }

// list returns the changes that last beyond after, in ascending order.
func (s *roleSet) list(after int64) []roleChange {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var changes []roleChange
	for _, change := range s.byID {
		if int64(change.until) > after {
			changes = append(changes, change)
		}
	}
	sortChanges(changes)
	return changes
}

func compareChanges(a, b roleChange) int { return cmp.Compare(a.id, b.id) }

func sortChanges(changes []roleChange) { slices.SortFunc(changes, compareChanges) }

// roleShards is the number of parts of a roleTable, by the first byte of the ID.
const roleShards = 256

// roleTable holds the loaded role changes. Like a feedTable it does not change once it is
// in use: a delta makes a new table that shares the shards that it did not touch.
type roleTable struct {
	shards *[roleShards][]roleChange
	n      int
	// last is the greatest ID while the table is being filled.
	last revocationID
	// swept is the number of the shard at which deleting expired changes continues.
	swept int
}

func (t *roleTable) shard(id revocationID) []roleChange {
	if t.shards == nil {
		return nil
	}
	return t.shards[id>>56]
}

func (t *roleTable) get(id revocationID) (roleChange, bool) {
	shard := t.shard(id)
	i, found := slices.BinarySearchFunc(shard, roleChange{feedEntry: feedEntry{id: id}}, compareChanges)
	if !found {
		return roleChange{}, false
	}
	return shard[i], true
}

// extend adds changes to a table that is not in use yet. It is false unless their IDs are
// above those of the table.
func (t *roleTable) extend(changes []roleChange) bool {
	if len(changes) == 0 {
		return true
	}
	if t.n > 0 && changes[0].id <= t.last {
		return false
	}
	if t.shards == nil {
		t.shards = &[roleShards][]roleChange{}
	}
	for _, change := range changes {
		t.shards[change.id>>56] = append(t.shards[change.id>>56], change)
	}
	t.n, t.last = t.n+len(changes), changes[len(changes)-1].id
	return true
}

// addAll adds the changes of another table that this one lacks and that end after cutoff,
// to a table that is not in use yet.
func (t *roleTable) addAll(other *roleTable, cutoff int64) {
	if other.shards == nil {
		return
	}
	if t.shards == nil {
		t.shards = &[roleShards][]roleChange{}
	}
	for i, shard := range other.shards {
		t.replace(i, mergeChanges(shard, t.shards[i], cutoff))
	}
}

// with returns a table with the changes applied. It deletes expired changes in the shards
// that it touches and in one other.
func (t *roleTable) with(changes []roleChange, cutoff int64) roleTable {
	next := roleTable{shards: t.shards, n: t.n, swept: (t.swept + 1) % roleShards}
	expired := t.shards != nil && slices.ContainsFunc(t.shards[next.swept], func(c roleChange) bool { return int64(c.until) <= cutoff })
	if len(changes) == 0 && !expired {
		return next
	}
	next.shards = &[roleShards][]roleChange{}
	if t.shards != nil {
		*next.shards = *t.shards
	}
	for len(changes) > 0 {
		shard := changes[0].id >> 56
		end := slices.IndexFunc(changes, func(c roleChange) bool { return c.id>>56 != shard })
		if end < 0 {
			end = len(changes)
		}
		next.replace(int(shard), mergeChanges(next.shards[shard], changes[:end], cutoff))
		changes = changes[end:]
	}
	if expired {
		next.replace(next.swept, mergeChanges(next.shards[next.swept], nil, cutoff))
	}
	return next
}

func (t *roleTable) replace(shard int, changes []roleChange) {
	t.n += len(changes) - len(t.shards[shard])
	t.shards[shard] = changes
}

// mergeChanges returns the changes of both, in ascending order. Those of later replace
// those of earlier. Changes that end at or before cutoff are left out, and with them
// lifted ones.
func mergeChanges(earlier, later []roleChange, cutoff int64) []roleChange {
	merged := slices.Concat(later, earlier)
	slices.SortStableFunc(merged, compareChanges)
	merged = slices.CompactFunc(merged, func(a, b roleChange) bool { return a.id == b.id })
	return slices.DeleteFunc(merged, func(c roleChange) bool { return c.until == 0 || int64(c.until) <= cutoff })
}

// roleHeadSize is the length of a change in the feed before its roles: 8 bytes of the ID,
// 4 of the end, 4 of the time of the change and 2 of the length of the roles.
const roleHeadSize = 18

// feedUnits returns the part of maxPartEntries that a change takes.
func (r *roleChange) feedUnits() int { return (roleHeadSize+len(r.roles))/feedEntrySize + 1 }

// appendTo appends the form of the feed.
func (r *roleChange) appendTo(list []byte) []byte {
	list = binary.BigEndian.AppendUint64(list, uint64(r.id))
	list = binary.BigEndian.AppendUint32(list, r.until)
	list = binary.BigEndian.AppendUint32(list, r.at)
	list = binary.BigEndian.AppendUint16(list, uint16(len(r.roles))) //nolint:gosec // at most MaxRoles names
	return append(list, r.roles...)
}

// readChanges reads a list of the feed: changes in ascending order. Each ends, unless
// changes may be lifted.
func readChanges(list string, mayLift bool) (changes []roleChange, ok bool) {
	for len(list) >= roleHeadSize {
		head := []byte(list[:roleHeadSize])
		change := roleChange{
			feedEntry: feedEntry{revocationID(binary.BigEndian.Uint64(head)), binary.BigEndian.Uint32(head[8:])},
			at:        binary.BigEndian.Uint32(head[12:]),
		}
		end := roleHeadSize + int(binary.BigEndian.Uint16(head[16:]))
		if end > len(list) || change.until == 0 && !mayLift || len(changes) > 0 && changes[len(changes)-1].id >= change.id {
			return nil, false
		}
		change.roles = list[roleHeadSize:end]
		if _, valid := parseRoles(change.roles); !valid {
			return nil, false
		}
		changes, list = append(changes, change), list[end:]
	}
	return changes, list == ""
}
