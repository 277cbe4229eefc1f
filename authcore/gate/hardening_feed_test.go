package gate

import (
	"errors"
	"testing"
	"time"
)

// An attacker between issuer and verifier answers with a feed from before a
// logout, to keep a stolen token alive (CWE-294). The feed in use stays, and grows
// old.
func TestReplayedFeed(t *testing.T) {
	claims := testClaims()
	before := feedOf(t, NewRevocations(), EdDSA, testNow)
	after := feedOf(t, revoked(RevokeSession), EdDSA, testNow.Add(time.Second))
	same := feedOf(t, NewRevocations(), EdDSA, testNow.Add(time.Second))
	now := testNow.Add(10 * time.Second)
	r := NewRevocations()
	if err := loadFeed(t, r, []string{after}, now); err != nil {
		t.Fatalf("Load = %v", err)
	}
	for name, old := range map[string]string{"before": before, "same": same, "after": after} {
		generation := r.Generation()
		if err := loadFeed(t, r, []string{old}, now); !errors.Is(err, ErrFeedOlder) || r.Generation() != generation {
			t.Errorf("Load(%s) = %v, want ErrFeedOlder", name, err)
		}
	}
	if err := r.Check(&claims); !errors.Is(err, ErrRevoked) {
		t.Errorf("Check after the replay = %v, want ErrRevoked", err)
	}
	if state, _ := r.Feed(); !state.IsStale(now.Add(time.Minute), time.Minute) {
		t.Errorf("the feed of %v counts as fresh at %v", state.IssuedAt, now.Add(time.Minute))
	}
	// A verifier that has just started has nothing to compare with: the expiry
	// limits the age of what it accepts.
	if _, err := testKeySet(t, EdDSA).RevocationFeed(before, testIssuer, testNow.Add(time.Hour)); !errors.Is(err, ErrFeedExpired) {
		t.Errorf("RevocationFeed(expired) = %v, want ErrFeedExpired", err)
	}
}

// An attacker answers with a delta that skips a revocation: one that begins after
// the feed in use (CWE-294, CWE-345).
func TestDeltaWithAGap(t *testing.T) {
	i := newIssuer(t)
	if _, err := i.poll(testNow); err != nil {
		t.Fatalf("Load = %v", err)
	}
	i.copy.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.Add(time.Hour)})
	later := testNow.Add(30 * time.Minute)
	i.copy.Refreshed(later)
	delta := signFeed(t, i.copy, EdDSA, feedOptions(later, i.copy.FeedSince("1800001700", later)))
	if err := loadFeed(t, i.client, delta, later); !errors.Is(err, ErrFeedGap) {
		t.Errorf("Load(later delta) = %v, want ErrFeedGap", err)
	}
	if err := loadFeed(t, NewRevocations(), delta, later); !errors.Is(err, ErrFeedGap) {
		t.Errorf("Load(delta without a list) = %v, want ErrFeedGap", err)
	}
	if state, _ := i.client.Feed(); !state.IssuedAt.Equal(testNow) {
		t.Errorf("the feed in use is of %v, want that of %v", state.IssuedAt, testNow)
	}
}

// The feed of another realm, or of another issuer with another key, would lift
// every revocation of this one (RFC 8725, section 3.8).
func TestFeedOfAnotherIssuer(t *testing.T) {
	keys := testKeySet(t, EdDSA)
	text := feedOf(t, NewRevocations(), EdDSA, testNow)
	for _, issuer := range []string{"", testIssuer + ":staff", testIssuer + "/", "https://evil.example"} {
		if _, err := keys.RevocationFeed(text, issuer, testNow); !errors.Is(err, ErrFeedIssuer) {
			t.Errorf("RevocationFeed for issuer %q = %v, want ErrFeedIssuer", issuer, err)
		}
	}
	if _, err := testKeySet(t, ES256).RevocationFeed(text, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
		t.Errorf("RevocationFeed with the key of another issuer = %v, want ErrFeedUnknownKey", err)
	}
	_, private := otherKey(t)
	header, payload, _ := segments(text)
	if _, err := keys.RevocationFeed(signAs(EdDSA, private, header+"."+payload), testIssuer, testNow); !errors.Is(err, ErrFeedSignature) {
		t.Errorf("RevocationFeed(forged) = %v, want ErrFeedSignature", err)
	}
}

// What is signed for one purpose must not be accepted for another: anyone can get a
// login token or the feed (RFC 8725, section 3.11).
func TestFeedAndTokensAreKeptApart(t *testing.T) {
	keys := testKeySet(t, algorithms...)
	feed := feedOf(t, NewRevocations(), EdDSA, testNow)
	for _, purpose := range []Purpose{PurposeLogin, PurposeAssertion} {
		cfg := testConfig()
		cfg.Purpose = purpose
		if _, err := newTestVerifier(t, cfg).Verify(feed, testNow); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("Verify(feed as %s) = %v, want ErrInvalidToken", purpose, err)
		}
		s := testSigners()[EdDSA]
		_, payload, _ := segments(feed)
		other := signAs(EdDSA, s.private, HeaderSegment(s.key, purpose)+"."+payload)
		if _, err := keys.RevocationFeed(other, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
			t.Errorf("RevocationFeed(%s) = %v, want ErrFeedUnknownKey", purpose, err)
		}
	}
	// A verifier for feeds would accept them as tokens.
	cfg := testConfig()
	cfg.Purpose = PurposeRevocations
	if _, err := newTestVerifier(t, cfg).Verify(feed, testNow); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("Verify(feed) for the purpose of feeds = %v, want ErrInvalidToken", err)
	}
	// A verifier of HS256 signatures could have made one.
	secret := feedOf(t, NewRevocations(), HS256, testNow)
	if _, err := keys.RevocationFeed(secret, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
		t.Errorf("RevocationFeed(signed with HS256) = %v, want ErrFeedUnknownKey", err)
	}
}
