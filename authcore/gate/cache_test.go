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
			t.Errorf("digestOf(%d bytes) differs from SHA-256", n)
		}
	}
}

func testEntry(n int) *entry {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(n))
	sum := sha256.Sum256(number[:])
	return &entry{digest: digest(sum[:24]), claims: Claims{ExpiresAt: 100}}
}

// The table keeps all of half as many tokens as it has room for, and most if it is
// full.
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
			t.Errorf("filled to %.0f %%, the cache has %d of %d tokens, want %.0f %%", 100*share, found, n, 100*least)
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
		t.Errorf("the token in use was replaced %d times, want 0", lost)
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
			t.Errorf("get(token %d) = %v, want only the expired one replaced", i, got)
		}
	}
}

// An entry is found only for the key that verified it.
func TestCacheEntryBelongsToItsKey(t *testing.T) {
	c := newCache(ways)
	first, second := testEntry(1), testEntry(1)
	first.key, second.key = &verifyKey{}, &verifyKey{}
	c.put(first, 0)
	if got := c.get(&first.digest, second.key); got != nil {
		t.Errorf("get with another key = %p, want nil", got)
	}
	c.put(second, 0)
	for _, e := range []*entry{first, second} {
		if got := c.get(&e.digest, e.key); got != e {
			t.Errorf("get = %p, want %p", got, e)
		}
	}
	c.remove(second)
	if c.get(&first.digest, first.key) != first || c.get(&second.digest, second.key) != nil {
		t.Error("remove removed another entry")
	}
}

// Digests with the same bucket and tag are different tokens.
func TestCacheComparesTheWholeDigest(t *testing.T) {
	c := newCache(64)
	e := testEntry(1)
	c.put(e, 0)
	for i := range e.digest {
		other := e.digest
		other[i] ^= 1
		if c.get(&other, nil) != nil {
			t.Errorf("get found a digest that differs in byte %d", i)
		}
	}
}

func TestCacheSize(t *testing.T) {
	for size, want := range map[int]int{1: 8, 8: 8, 9: 16, 1000: 1000, DefaultCacheSize: DefaultCacheSize} {
		if got := len(newCache(size).buckets) * ways; got != want {
			t.Errorf("newCache(%d) has room for %d tokens, want %d", size, got, want)
		}
	}
}

// An expired token leaves the cache when it is used.
func TestExpiredTokenLeavesTheCache(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := testSigners()[HS256].sign(testClaims())
	if _, err := v.Verify(token, testNow); err != nil || v.cached() != 1 {
		t.Fatalf("Verify = %v with %d tokens in the cache, want 1", err, v.cached())
	}
	if _, err := v.Verify(token, testNow.Add(time.Hour)); !errors.Is(err, ErrExpired) || v.cached() != 0 {
		t.Errorf("Verify = %v with %d tokens in the cache, want ErrExpired and 0", err, v.cached())
	}
}

// The documentation states the memory of a token in the cache. An entry fills a size
// class of the allocator exactly.
func TestEntrySize(t *testing.T) {
	if size := reflect.TypeFor[entry]().Size(); size > 320 {
		t.Errorf("an entry has %d bytes, want 320 at the most", size)
	}
}
