package gate

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

// DefaultCacheSize is the default number of tokens that a Verifier remembers. A full
// cache takes about 39 MB, with tokens of 650 bytes.
const DefaultCacheSize = 1 << 15

// ways is the number of tokens in a bucket.
const ways = 8

// entry is a token that was verified.
type entry struct {
	// token is the whole token, so that nothing else can be mistaken for it.
	token string
	hash  uint64
	// key made the signature. The entry is valid only while this key is in use, as it was
	// in the set keys.
	key    *verifyKey
	keys   atomic.Pointer[verifyKeys]
	claims Claims
	// clean is 1 plus the generation of the revocations that did not concern it.
	clean atomic.Uint64
	// changed has the claims with other roles, if the roles of the user changed.
	changed atomic.Pointer[changedClaims]
	// seen is the time of the last call of Seen, in seconds since 1970, until 2106.
	seen atomic.Uint32
	// used protects it from being replaced once.
	used atomic.Bool
}

// changedClaims are the claims of a token with the roles that the user has now.
type changedClaims struct {
	// generation is that of the revocations that were checked.
	generation uint64
	claims     Claims
}

// cache is a table of fixed size in which a token is in one of two buckets. Readers
// take no lock: a slot is replaced as a whole, and during a change a reader misses or
// finds an entry that is still valid, because everything that can end is checked on
// every use. Writers lock one bucket.
type cache struct {
	buckets []bucket
	// seed keeps clients from choosing the place of a token (CWE-407).
	seed maphash.Seed
}

type bucket struct {
	mu    sync.Mutex // held to write
	hand  uint8      // the slot at which the search for one to replace continues
	slots [ways]slot
}

type slot struct {
	// tag is a part of the hash, so that a search rarely follows a pointer to
	// another token.
	tag   atomic.Uint32
	entry atomic.Pointer[entry]
}

// newCache returns a cache for size tokens, rounded up to whole buckets.
func newCache(size int) *cache {
	return &cache{buckets: make([]bucket, max(1, (size+ways-1)/ways)), seed: maphash.MakeSeed()}
}

func (c *cache) hash(token string) uint64 { return maphash.String(c.seed, token) }

// bucket returns the first (0) or second (1) bucket of a hash: one by its upper half, one
// by its lower half.
func (c *cache) bucket(hash uint64, which int) *bucket {
	i, _ := bits.Mul64(bits.RotateLeft64(hash, 32*which), uint64(len(c.buckets)))
	return &c.buckets[i]
}

// tag returns middle bits of a hash, which hardly depend on the bucket.
func tag(hash uint64) uint32 { return uint32(hash >> 16) } //nolint:gosec // a part is wanted

// get returns the entry of a token with its hash, or nil.
func (c *cache) get(token string, hash uint64) *entry {
	wanted := tag(hash)
	for which := range 2 {
		b := c.bucket(hash, which)
		for i := range b.slots {
			if b.slots[i].tag.Load() != wanted {
				continue
			}
			if e := b.slots[i].entry.Load(); e != nil && e.token == token {
				return e
			}
		}
	}
	return nil
}

// put adds a token to the emptier of its buckets. It replaces another token if both
// are full.
func (c *cache) put(e *entry, now int64) {
	b, other := c.bucket(e.hash, 0), c.bucket(e.hash, 1)
	if other.free(now) > b.free(now) {
		b = other
	}
	b.put(e, now)
}

// free returns the number of slots that are empty or have an expired token.
func (b *bucket) free(now int64) (n int) {
	for i := range b.slots {
		if b.slots[i].isFree(now) {
			n++
		}
	}
	return n
}

// put stores e in a free slot, or in that of a token that was not used since the hand
// passed it.
func (b *bucket) put(e *entry, now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.slots {
		if b.slots[i].isFree(now) {
			b.slots[i].set(e)
			return
		}
	}
	for range ways {
		if old := b.slots[b.hand%ways].entry.Load(); !old.used.Swap(false) {
			break
		}
		b.hand++
	}
	b.slots[b.hand%ways].set(e)
	b.hand++
}

// remove removes an entry.
func (c *cache) remove(e *entry) {
	for which := range 2 {
		b := c.bucket(e.hash, which)
		b.mu.Lock()
		for i := range b.slots {
			b.slots[i].entry.CompareAndSwap(e, nil)
		}
		b.mu.Unlock()
	}
}

func (s *slot) isFree(now int64) bool {
	e := s.entry.Load()
	return e == nil || e.claims.ExpiresAt <= now
}

func (s *slot) set(e *entry) {
	s.entry.Store(e)
	s.tag.Store(tag(e.hash))
}
