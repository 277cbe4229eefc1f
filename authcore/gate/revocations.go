package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// revocationShards is how many parts of the revocations are locked on their own.
const revocationShards = 64

// Revocations is the copy of the revocations in force that tokens are checked
// against. An entry takes 25 to 50 bytes, whatever the length of its ID.
type Revocations struct {
	users, sessions, tokens revocationSet
	// generation changes after entries were added, so that who knows a token
	// to be good at a generation need not look again.
	generation atomic.Uint64
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
	return r.users.len() + r.sessions.len() + r.tokens.len()
}

// Check returns ErrUserInactive when the user was disabled or deleted,
// ErrRevoked when the session or token was ended, otherwise nil.
func (r *Revocations) Check(c *Claims) error {
	if r.users.has(c.Subject) {
		return ErrUserInactive
	}
	if r.sessions.has(c.Session) || r.tokens.has(c.ID) {
		return ErrRevoked
	}
	return nil
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

// revocationID stands for an ID: the bytes of a UUID, otherwise a hash.
type revocationID [16]byte

// revocationIDOf takes a UUID in its canonical form (RFC 9562, section 4).
// Another spelling of a UUID is another text, and so another ID.
func revocationIDOf(text string) (id revocationID) {
	if len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' {
		var digits [32]byte
		n := 0
		for i := range len(text) {
			if text[i] != '-' && (text[i] < 'A' || text[i] > 'F') {
				digits[n] = text[i]
				n++
			}
		}
		if _, err := hex.Decode(id[:], digits[:]); err == nil && n == len(digits) {
			return id
		}
	}
	sum := sha256.Sum256([]byte(text))
	return revocationID(sum[:16])
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

// shard spreads by the last bits, which are random in a UUID of any version
// that is used for ids and in a hash.
func (s *revocationSet) shard(id revocationID) *revocationShard {
	return &s.shards[id[15]%revocationShards]
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

func (s *revocationSet) has(text string) bool {
	if s.count.Load() == 0 {
		return false
	}
	id := revocationIDOf(text)
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
