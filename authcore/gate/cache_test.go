package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDigest(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 1024, MaxToken} {
		token := strings.Repeat("x", n)
		if sum := sha256.Sum256([]byte(token)); digestOf(token) != digest(sum[:24]) {
			t.Errorf("%d bytes: another digest", n)
		}
	}
}

func testEntry(n int) *entry {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(n))
	sum := sha256.Sum256(number[:])
	return &entry{digest: digest(sum[:24]), claims: Claims{ExpiresAt: 100}}
}

// The table loses few of as many tokens as it has room for, and none of half as
// many.
func TestCacheHoldsWhatItShould(t *testing.T) {
	const size = 1 << 14
	for share, least := range map[float64]float64{0.5: 1, 0.9: 0.99, 1: 0.95} {
		c := newCache(size)
		n := int(share * size)
		for i := range n {
			c.put(testEntry(i), 0)
		}
		found := 0
		for i := range n {
			e := testEntry(i)
			if got := c.get(&e.digest, nil); got != nil && got.digest == e.digest {
				found++
			}
		}
		if float64(found) < least*float64(n) {
			t.Errorf("filled to %.0f %%: %d of %d are there", 100*share, found, n)
		}
	}
}

// A token in use outlives a flood of tokens that are seen once.
func TestCacheGivesASecondChance(t *testing.T) {
	c := newCache(64)
	hot := testEntry(-1)
	c.put(hot, 0)
	lost := 0
	for i := range 2000 {
		if got := c.get(&hot.digest, nil); got != nil {
			got.used.Store(true)
		} else {
			lost++
			c.put(hot, 0)
		}
		c.put(testEntry(i), 0)
	}
	if lost > 0 {
		t.Errorf("lost %d times", lost)
	}
}

func TestCacheReplacesExpiredFirst(t *testing.T) {
	c := newCache(ways)
	for i := range ways {
		e := testEntry(i)
		if i == ways/2 {
			e.claims.ExpiresAt = 50
		}
		c.put(e, 0)
	}
	c.put(testEntry(100), 50)
	for i := range ways {
		e := testEntry(i)
		if got := c.get(&e.digest, nil); (got == nil) != (i == ways/2) {
			t.Errorf("token %d: %v", i, got)
		}
	}
}

// An entry counts only for the very key that made it.
func TestCacheEntryBelongsToItsKey(t *testing.T) {
	c := newCache(ways)
	first, second := testEntry(1), testEntry(1)
	first.key, second.key = &verifyKey{}, &verifyKey{}
	c.put(first, 0)
	if got := c.get(&first.digest, second.key); got != nil {
		t.Error("found for another key")
	}
	c.put(second, 0)
	for _, e := range []*entry{first, second} {
		if got := c.get(&e.digest, e.key); got != e {
			t.Errorf("got %p", got)
		}
	}
	c.remove(second)
	if c.get(&first.digest, first.key) != first || c.get(&second.digest, second.key) != nil {
		t.Error("the wrong one was removed")
	}
}

// Digests that have bucket and tag in common are still two tokens.
func TestCacheComparesTheWholeDigest(t *testing.T) {
	c := newCache(64)
	e := testEntry(1)
	c.put(e, 0)
	for i := range e.digest {
		other := e.digest
		other[i] ^= 1
		if c.get(&other, nil) != nil {
			t.Errorf("byte %d does not count", i)
		}
	}
}

func TestCacheSize(t *testing.T) {
	for size, want := range map[int]int{1: 8, 8: 8, 9: 16, 1000: 1000, DefaultCacheSize: DefaultCacheSize} {
		if got := len(newCache(size).buckets) * ways; got != want {
			t.Errorf("%d: got room for %d", size, got)
		}
	}
}

// An expired token leaves the cache when it is used.
func TestExpiredTokenLeavesTheCache(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := testSigners()[HS256].sign(testClaims())
	if _, err := v.Verify(token, testNow); err != nil || v.cached() != 1 {
		t.Fatalf("got %v with %d in the cache", err, v.cached())
	}
	if _, err := v.Verify(token, testNow.Add(time.Hour)); !errors.Is(err, ErrExpired) || v.cached() != 0 {
		t.Errorf("got %v with %d in the cache", err, v.cached())
	}
}

// Documentation states what a token in the cache takes. An entry fills a size
// class of the allocator to the byte.
func TestEntrySize(t *testing.T) {
	if size := reflect.TypeFor[entry]().Size(); size > 192 {
		t.Errorf("an entry has %d bytes", size)
	}
}
