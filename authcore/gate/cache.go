package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
)

// DefaultCacheSize is the number of tokens that a Verifier remembers unless it
// is told otherwise. Full, they take about 25 MB.
const DefaultCacheSize = 1 << 16

// ways is how many tokens a bucket holds.
const ways = 8

// digest is the first 192 bits of the SHA-256 of a token. The cache is keyed by
// it, so that its keys give no token away and nobody can choose where a token
// goes. To have another token taken for one in the cache is to find a second
// preimage.
type digest [24]byte

// digestOf goes through a small buffer, because a conversion to []byte would
// allocate a copy of the token for every request.
func digestOf(token string) (d digest) {
	var buffer [512]byte
	h := sha256.New()
	for len(token) > 0 {
		n := copy(buffer[:], token)
		h.Write(buffer[:n])
		token = token[n:]
	}
	var sum [sha256.Size]byte
	return digest(h.Sum(sum[:0])[:len(d)])
}

// entry is a token that was verified.
type entry struct {
	digest digest
	// key made the signature. The entry counts only while this very key is in
	// use.
	key    *verifyKey
	claims Claims
	// clean is the generation of the revocations that did not concern it.
	clean atomic.Uint64
	// seen is when Seen was told last, in seconds since 1970, until 2106.
	seen atomic.Uint32
	// used gives it a second chance before it is replaced.
	used atomic.Bool
}

// cache is a table of fixed size in which a token has its place in one of two
// buckets. Readers take no lock: a slot is replaced as a whole, and a reader
// who meets a change misses or finds an entry that is still true, for what can
// end is checked on every use. Writers lock one bucket.
type cache struct {
	buckets []bucket
}

type bucket struct {
	mu    sync.Mutex // held to write
	hand  uint8      // where the search for a victim goes on
	slots [ways]slot
}

type slot struct {
	// tag is a part of the digest, so that a search seldom follows a pointer
	// in vain.
	tag   atomic.Uint32
	entry atomic.Pointer[entry]
}

// newCache makes a cache for size tokens, rounded up to whole buckets.
func newCache(size int) *cache {
	return &cache{buckets: make([]bucket, max(1, (size+ways-1)/ways))}
}

// bucket returns the first (0) or second (1) bucket of a token.
func (c *cache) bucket(d *digest, which int) *bucket {
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(d[8*which:]), uint64(len(c.buckets)))
	return &c.buckets[i]
}

func (d *digest) tag() uint32 { return binary.LittleEndian.Uint32(d[16:]) }

// get returns the entry of a token that was verified with this key, or nil.
func (c *cache) get(d *digest, key *verifyKey) *entry {
	tag := d.tag()
	for which := range 2 {
		b := c.bucket(d, which)
		for i := range b.slots {
			if b.slots[i].tag.Load() != tag {
				continue
			}
			if e := b.slots[i].entry.Load(); e != nil && e.digest == *d && e.key == key {
				return e
			}
		}
	}
	return nil
}

// put adds a token to the emptier one of its buckets, at the expense of another
// token when both are full.
func (c *cache) put(e *entry, now int64) {
	b, other := c.bucket(&e.digest, 0), c.bucket(&e.digest, 1)
	if other.free(now) > b.free(now) {
		b = other
	}
	b.put(e, now)
}

// free counts the slots that hold nothing of use.
func (b *bucket) free(now int64) (n int) {
	for i := range b.slots {
		if b.slots[i].isFree(now) {
			n++
		}
	}
	return n
}

// put stores e in a free slot, or in that of a token that was not used since
// the hand came by last.
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

// remove forgets an entry.
func (c *cache) remove(e *entry) {
	for which := range 2 {
		b := c.bucket(&e.digest, which)
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
	s.tag.Store(e.digest.tag())
}
