package gate

import (
	"math/bits"
	"slices"
)

// Sizes of a feedTable, in entries.
const (
	// fullShard is the number of entries for which a shard is planned.
	fullShard = 256
	// crowdedShard is the average number of entries at which shards are split.
	crowdedShard = 4 * fullShard
)

// feedTable holds the loaded revocations of one kind, in shards by the first bits
// of their IDs. A table does not change once it is in use: a delta makes a new
// table that shares the shards that it did not touch, so that its cost depends on
// the size of the delta and hardly on that of the table.
type feedTable struct {
	shards []feedList
	n      int
	// last is the greatest ID while the table is being filled.
	last revocationID
	// swept is the number of the shard at which deleting expired entries
	// continues.
	swept int
}

// newFeedTable returns an empty table for about n entries.
func newFeedTable(n int) feedTable {
	return feedTable{shards: make([]feedList, 1<<bits.Len(uint(n/fullShard)))}
}

// shard returns the number of an ID's shard.
func (t *feedTable) shard(id revocationID) int {
	return int(uint64(id) >> (64 - bits.Len(uint(len(t.shards)-1)))) //nolint:gosec // below len(shards)
}

func (t *feedTable) has(id revocationID) bool {
	return t.n > 0 && t.shards[t.shard(id)].has(id)
}

// parts yields the parts of a list that belong to one shard each.
func (t *feedTable) parts(list feedList) func(yield func(shard int, part feedList) bool) {
	return func(yield func(int, feedList) bool) {
		for len(list) > 0 {
			shard := t.shard(list.id(0))
			end := list.len()
			if shard+1 < len(t.shards) {
				end = list.search(revocationID(shard+1) << (64 - bits.Len(uint(len(t.shards)-1)))) //nolint:gosec // positive
			}
			if !yield(shard, list[:end*feedEntrySize]) {
				return
			}
			list = list[end*feedEntrySize:]
		}
	}
}

// extend adds a list to a table that is not in use yet. It is false unless the IDs
// of the list are above those of the table.
func (t *feedTable) extend(list feedList) bool {
	if len(list) == 0 {
		return true
	}
	if t.n > 0 && list.id(0) <= t.last {
		return false
	}
	for shard, part := range t.parts(list) {
		t.shards[shard] = slices.Concat(t.shards[shard], part)
	}
	t.n, t.last = t.n+list.len(), list.id(list.len()-1)
	return true
}

// addAll adds the entries of another table that this one lacks and that end after
// cutoff, to a table that is not in use yet.
func (t *feedTable) addAll(other *feedTable, cutoff int64) {
	for _, list := range other.shards {
		for shard, part := range t.parts(list) {
			t.replace(shard, part.merge(t.shards[shard], cutoff))
		}
	}
}

// with returns a table with the changes applied. It deletes expired entries in the
// shards that it touches and in one of 64 others.
func (t *feedTable) with(changes feedList, cutoff int64) feedTable {
	next := feedTable{shards: slices.Clone(t.shards), n: t.n, swept: t.swept}
	if len(next.shards) == 0 {
		next.shards = make([]feedList, 1)
	}
	if next.n > crowdedShard*len(next.shards) {
		next = next.split()
	}
	for shard, part := range next.parts(changes) {
		next.replace(shard, next.shards[shard].merge(part, cutoff))
	}
	for range len(next.shards)/64 + 1 {
		next.swept = (next.swept + 1) % len(next.shards)
		if next.shards[next.swept].hasExpired(cutoff) {
			next.replace(next.swept, next.shards[next.swept].merge(nil, cutoff))
		}
	}
	return next
}

func (t *feedTable) replace(shard int, list feedList) {
	t.n += list.len() - t.shards[shard].len()
	t.shards[shard] = list
}

// split returns a table with four times as many shards. The entries stay where
// they are in memory.
func (t *feedTable) split() feedTable {
	wide := feedTable{shards: make([]feedList, 4*len(t.shards)), n: t.n}
	for _, list := range t.shards {
		for shard, part := range wide.parts(list) {
			wide.shards[shard] = part
		}
	}
	return wide
}

func (l feedList) hasExpired(cutoff int64) bool {
	for i := range l.len() {
		if int64(l.at(i).until) <= cutoff {
			return true
		}
	}
	return false
}
