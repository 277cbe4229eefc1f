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

// revocationShards is how many parts of the revocations are locked on their own.
const revocationShards = 64

// Revocations is the copy of the revocations in force that tokens are checked
// against. It is filled entry by entry with Apply, as a whole with Load, or both:
// a token is revoked when either says so. An entry takes 15 to 35 bytes, in a
// feed 8, whatever the length of its ID.
type Revocations struct {
	users, sessions, tokens revocationSet
	feed                    atomic.Pointer[RevocationFeed]
	// generation changes after entries were added, so that who knows a token
	// to be good at a generation need not look again.
	generation atomic.Uint64
	// refreshed is up to when it is complete, in nanoseconds since 1970.
	refreshed atomic.Int64
}

// NewRevocations returns an empty copy.
func NewRevocations() *Revocations { return &Revocations{} }

// Apply adds, replaces and lifts revocations. They are in force when it returns.
// Entries of an unknown kind are ignored.
func (r *Revocations) Apply(entries ...Revocation) {
	if len(entries) == 0 {
		return
	}
	for i := range entries {
		if set := r.set(entries[i].Kind); set != nil {
			set.put(revocationIDOf(entries[i].ID), entries[i].Until)
		}
	}
	// Afterwards: a check that began earlier and missed an entry belongs to the
	// generation before.
	r.generation.Add(1)
}

// Sweep forgets what needs no revocation any more because it has expired, and
// gives the memory back.
func (r *Revocations) Sweep(now time.Time) {
	for _, set := range [...]*revocationSet{&r.users, &r.sessions, &r.tokens} {
		set.sweep(now)
	}
}

// Len returns the number of revocations.
func (r *Revocations) Len() int {
	n := r.users.len() + r.sessions.len() + r.tokens.len()
	if feed := r.feed.Load(); feed != nil {
		n += feed.Len()
	}
	return n
}

// Generation differs from what it was before when entries have been added,
// replaced or lifted in between.
func (r *Revocations) Generation() uint64 { return r.generation.Load() }

// Has reports whether a revocation of this Kind and ID is in force.
func (r *Revocations) Has(entry Revocation) bool {
	set := r.set(entry.Kind)
	return set != nil && set.has(revocationIDOf(entry.ID))
}

// Check returns ErrUserInactive when the user was disabled or deleted,
// ErrRevoked when the session or token was ended, otherwise nil.
func (r *Revocations) Check(c *Claims) error {
	feed := r.feed.Load()
	if feed == nil {
		feed = &RevocationFeed{}
	}
	if revokes(&r.users, feed.users, c.Subject) {
		return ErrUserInactive
	}
	if revokes(&r.sessions, feed.sessions, c.Session) || revokes(&r.tokens, feed.tokens, c.ID) {
		return ErrRevoked
	}
	return nil
}

func revokes(set *revocationSet, list revocationList, text string) bool {
	if set.len() == 0 && len(list) == 0 {
		return false
	}
	id := revocationIDOf(text)
	return set.has(id) || list.has(id)
}

func (r *Revocations) set(kind RevocationKind) *revocationSet {
	switch kind {
	case RevokeUser:
		return &r.users
	case RevokeSession:
		return &r.sessions
	case RevokeToken:
		return &r.tokens
	}
	return nil
}

// revocationID stands for an ID: the first 8 bytes of its SHA-256. Whether
// somebody's session ends because its hash is that of a revoked one is a matter
// of chance, for IDs are chosen by the issuer: among a million sessions and a
// million revocations it happens once in ten million such sites.
type revocationID uint64

func revocationIDOf(text string) revocationID {
	sum := sha256.Sum256([]byte(text))
	return revocationID(binary.BigEndian.Uint64(sum[:]))
}

// revocationSet is the revocations of one kind.
type revocationSet struct {
	count  atomic.Int64
	shards [revocationShards]revocationShard
}

type revocationShard struct {
	mu sync.RWMutex
	// until is when an entry may be forgotten, in seconds since 1970; it has
	// no pointers for the garbage collector to follow.
	until map[revocationID]uint32
}

func (s *revocationSet) shard(id revocationID) *revocationShard {
	return &s.shards[id%revocationShards]
}

func (s *revocationSet) put(id revocationID, until time.Time) {
	shard := s.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	before := len(shard.until)
	if until.IsZero() {
		delete(shard.until, id)
	} else {
		if shard.until == nil {
			shard.until = map[revocationID]uint32{}
		}
		shard.until[id] = seconds(until)
	}
	s.count.Add(int64(len(shard.until) - before))
}

// seconds rounds up: an entry is rather kept too long than forgotten too early.
func seconds(t time.Time) uint32 {
	return uint32(min(max(0, t.Unix()+1), math.MaxUint32))
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

// sweep returns how many entries it forgot.
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
