package gate

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A token in the cache must not outlive its session, its user, its key or its expiry
// (CWE-613).
func TestCachedTokensEnd(t *testing.T) {
	later := testNow.Add(time.Hour)
	s := testSigners()[EdDSA]
	tests := []struct {
		name string
		end  func(*Verifier) time.Time
		want error
	}{
		{"session ended", func(v *Verifier) time.Time {
			v.cfg.Revocations.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: later})
			return testNow
		}, ErrRevoked},
		{"user disabled", func(v *Verifier) time.Time {
			v.cfg.Revocations.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: later})
			return testNow
		}, ErrUserInactive},
		{"key removed", func(v *Verifier) time.Time { v.SetKeys(testKeySet(t, ES256)); return testNow }, ErrUnknownKey},
		{"all keys removed", func(v *Verifier) time.Time { v.SetKeys(nil); return testNow }, ErrUnknownKey},
		{"key replaced under its ID", func(v *Verifier) time.Time {
			public, _ := otherKey(t)
			set, err := NewKeySet(Key{ID: s.key.ID, Algorithm: EdDSA, Public: public})
			if err != nil {
				t.Fatalf("NewKeySet = %v", err)
			}
			v.SetKeys(set)
			return testNow
		}, ErrSignature},
		{"expired", func(*Verifier) time.Time { return later }, ErrExpired},
		{"clock set back", func(*Verifier) time.Time { return testNow.Add(-time.Hour) }, ErrClaims},
	}
	for _, test := range tests {
		for _, size := range []int{64, -1} {
			t.Run(fmt.Sprint(test.name, " ", size), func(t *testing.T) {
				cfg := testConfig()
				cfg.CacheSize = size
				cfg.Revocations = NewRevocations()
				v := newTestVerifier(t, cfg)
				token := s.sign(testClaims())
				if _, err := v.Verify(token, testNow); err != nil {
					t.Fatalf("v.Verify = %v", err)
				}
				now := test.end(v)
				for range 2 {
					if claims, err := v.Verify(token, now); claims != nil || !errors.Is(err, test.want) {
						t.Errorf("Verify = %v, %v, want %v", claims, err, test.want)
					}
				}
			})
		}
	}
}

// A lifted revocation and a restored key make tokens valid again, without a restart.
func TestEndsCanBeReverted(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	v := newTestVerifier(t, cfg)
	token := testSigners()[EdDSA].sign(testClaims())
	verify := func(want error) {
		t.Helper()
		if _, err := v.Verify(token, testNow); !errors.Is(err, want) {
			t.Errorf("Verify = %v, want %v", err, want)
		}
	}
	cfg.Revocations.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.Add(time.Hour)})
	verify(ErrUserInactive)
	verify(ErrUserInactive)
	cfg.Revocations.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: time.Time{}})
	verify(nil)
	v.SetKeys(nil)
	verify(ErrUnknownKey)
	v.SetKeys(testKeySet(t, EdDSA))
	verify(nil)
}

// A token whose key was absent for a while takes one place of the cache, and is found there.
func TestKeyReturns(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := testSigners()[EdDSA].sign(testClaims())
	for range 3 {
		if _, err := v.Verify(token, testNow); err != nil || v.cached() != 1 || v.hits() != 1 {
			t.Errorf("Verify = %v with %d tokens in the cache, of which %d would be found, want one", err, v.cached(), v.hits())
		}
		v.SetKeys(nil)
		v.SetKeys(testKeySet(t, EdDSA))
	}
}

// The answer to a forged token must not disclose that a user is disabled.
func TestForgedTokenOfADisabledUser(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	cfg.Revocations.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.Add(time.Hour)})
	v := newTestVerifier(t, cfg)
	header, payload, signature := segments(testSigners()[EdDSA].sign(testClaims()))
	refused(t, v, header+"."+payload+"."+flip(signature), ErrSignature)
}

// A flood of distinct valid tokens fills the cache to its limit, one of forged tokens
// does not enter it (CWE-770). Tokens of keys that stay survive a rotation.
func TestFloods(t *testing.T) {
	cfg := testConfig()
	cfg.CacheSize = 64
	v := newTestVerifier(t, cfg)
	s := testSigners()[HS256]
	forged := 0
	for i := range 1000 {
		token := s.distinct(i)
		header, payload, signature := segments(token)
		if _, err := v.Verify(header+"."+payload+"."+flip(signature), testNow); errors.Is(err, ErrSignature) {
			forged++
		}
	}
	if forged != 1000 || v.cached() != 0 {
		t.Errorf("%d of 1000 forged tokens were refused and %d are in the cache, want all and 0", forged, v.cached())
	}
	for i := range 1000 {
		if _, err := v.Verify(s.distinct(i), testNow); err != nil {
			t.Fatalf("v.Verify = %v", err)
		}
	}
	if v.cached() != 64 {
		t.Errorf("the cache has %d tokens, want 64", v.cached())
	}
	hits := v.hits()
	v.SetKeys(testKeySet(t, HS256))
	if v.hits() != hits {
		t.Errorf("after SetKeys %d tokens are found, want %d", v.hits(), hits)
	}
}

// hits returns the number of tokens in the cache that would be found.
func (v *Verifier) hits() (n int) {
	current := map[*verifyKey]bool{}
	for _, key := range *v.keys.Load() {
		current[key] = true
	}
	for i := range v.cache.buckets {
		for j := range v.cache.buckets[i].slots {
			if e := v.cache.buckets[i].slots[j].entry.Load(); e != nil && current[e.key] {
				n++
			}
		}
	}
	return n
}
