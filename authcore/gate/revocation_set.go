package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// revocationShards is the number of independently locked parts of a set.
const revocationShards = 64

// revocationID replaces an ID by the first 8 bytes of its SHA-256. Two IDs with
// the same hash would end together. IDs are random and chosen by the issuer: with
// a million sessions and a million revocations, the chance of one such pair is
// one in ten million.
type revocationID uint64

func revocationIDOf(text string) revocationID {
	var buffer [64]byte // on the stack, and long enough for UUIDs
	sum := sha256.Sum256(append(buffer[:0], text...))
	return revocationID(binary.BigEndian.Uint64(sum[:]))
}

// revocationSet holds the revocations of one kind that were given to Apply.
type revocationSet struct {
	count  atomic.Int64
	shards [revocationShards]revocationShard
}

type revocationShard struct {
	mu sync.RWMutex
	// until maps an ID to the time at which the entry may be deleted, in seconds
	// since 1970. It contains no pointers for the garbage collector to follow.
	until map[revocationID]uint32
}

func (s *revocationSet) shard(id revocationID) *revocationShard {
	return &s.shards[id%revocationShards]
}

// put stores an entry; an until of 0 deletes it.
func (s *revocationSet) put(id revocationID, until uint32) {
	shard := s.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	before := len(shard.until)
	if until == 0 {
		delete(shard.until, id)
	} else {
		if shard.until == nil {
			shard.until = map[revocationID]uint32{}
		}
		shard.until[id] = until
	}
	s.count.Add(int64(len(shard.until) - before))
}

// seconds converts an Until to seconds since 1970, or to 0 if it is zero. It
// rounds up, so that an entry is kept too long rather than too short.
func seconds(until time.Time) uint32 {
	if until.IsZero() {
		return 0
	}
	return uint32(min(max(1, until.Unix()+1), math.MaxUint32))
}

func (s *revocationSet) has(id revocationID) bool {
	shard := s.shard(id)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	_, revoked := shard.until[id]
	return revoked
}

func (s *revocationSet) sweep(now time.Time) {
	for i := range s.shards {
		s.count.Add(-int64(s.shards[i].sweep(now.Unix())))
	}
}

// sweep returns the number of entries that it deleted.
func (s *revocationShard) sweep(now int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.until)
	maps.DeleteFunc(s.until, func(_ revocationID, until uint32) bool { return int64(until) <= now })
	if live := len(s.until); live < before/2 {
		// A map never shrinks.
		smaller := make(map[revocationID]uint32, live)
		maps.Copy(smaller, s.until)
		s.until = smaller
	}
	return before - len(s.until)
}

func (s *revocationSet) len() int { return int(s.count.Load()) }

// list returns the entries that last beyond after, in ascending order.
func (s *revocationSet) list(after int64) []feedEntry {
	entries := make([]feedEntry, 0, s.len())
	for i := range s.shards {
		entries = s.shards[i].appendLive(entries, after)
	}
	sortEntries(entries)
	return entries
}

func (s *revocationShard) appendLive(entries []feedEntry, after int64) []feedEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, until := range s.until {
		if int64(until) > after {
			entries = append(entries, feedEntry{id, until})
		}
	}
	return entries
}
