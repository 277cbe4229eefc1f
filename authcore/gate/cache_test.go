package gate

import (
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"
)

func testEntry(c *cache, n int) *entry {
	token := strconv.Itoa(n)
	return &entry{token: token, hash: c.hash(token), claims: Claims{ExpiresAt: 100}}
}

func (c *cache) find(e *entry) *entry { return c.get(e.token, e.hash) }

// The table keeps all of half as many tokens as it has room for, and most if it is
// full.
func TestCacheHoldsWhatItShould(t *testing.T) {
	const size = 1 << 14
	for share, least := range map[float64]float64{0.5: 1, 0.9: 0.99, 1: 0.95} {
		c := newCache(size)
		n := int(share * size)
		for i := range n {
			c.put(testEntry(c, i), 0)
		}
		found := 0
		for i := range n {
			if c.find(testEntry(c, i)) != nil {
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
	hot := testEntry(c, -1)
	c.put(hot, 0)
	lost := 0
	for i := range 2000 {
		if got := c.find(hot); got != nil {
			got.used.Store(true)
		} else {
			lost++
			c.put(hot, 0)
		}
		c.put(testEntry(c, i), 0)
	}
	if lost > 0 {
		t.Errorf("the token in use was replaced %d times, want 0", lost)
	}
}

func TestCacheReplacesExpiredFirst(t *testing.T) {
	c := newCache(ways)
	for i := range ways {
		e := testEntry(c, i)
		if i == ways/2 {
			e.claims.ExpiresAt = 50
		}
		c.put(e, 0)
	}
	c.put(testEntry(c, 100), 50)
	for i := range ways {
		if got := c.find(testEntry(c, i)); (got == nil) != (i == ways/2) {
			t.Errorf("get(token %d) = %v, want only the expired one replaced", i, got)
		}
	}
}

// A token whose hash is that of another one is not taken for it, whether it belongs to
// the same length or not.
func TestCacheComparesTheWholeToken(t *testing.T) {
	c := newCache(64)
	e := testEntry(c, 123)
	c.put(e, 0)
	for _, other := range []string{"", "12", "124", "023", "1234"} {
		if got := c.get(other, e.hash); got != nil {
			t.Errorf("get(%q) with the hash of %q = %q, want nothing", other, e.token, got.token)
		}
	}
	if got := c.get("123", e.hash); got != e {
		t.Errorf("get(%q) = %p, want %p", "123", got, e)
	}
}

func TestCacheRemovesOneEntry(t *testing.T) {
	c := newCache(ways)
	first, second := testEntry(c, 1), testEntry(c, 2)
	c.put(first, 0)
	c.put(second, 0)
	c.remove(second)
	if c.find(first) != first || c.find(second) != nil {
		t.Errorf("after remove, get = %p and %p, want %p and nil", c.find(first), c.find(second), first)
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
