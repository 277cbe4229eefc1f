package gate

import (
	"errors"
	"testing"
	"time"
)

// Somebody on the way to the issuer answers with a feed from before a logout, to
// keep a stolen token alive (CWE-294). The feed in use stays, and grows old.
func TestReplayedFeed(t *testing.T) {
	keys := testKeySet(t, EdDSA)
	claims := testClaims()
	before := feedOf(t, NewRevocations(), EdDSA, testNow)
	after := feedOf(t, revoked(RevokeSession), EdDSA, testNow.Add(time.Second))
	same := feedOf(t, NewRevocations(), EdDSA, testNow.Add(time.Second))
	now := testNow.Add(10 * time.Second)
	r := NewRevocations()
	load := func(text string) error {
		feed, err := keys.RevocationFeed(text, testIssuer, now)
		if err != nil {
			t.Fatal(err)
		}
		return r.Load(feed)
	}
	if err := load(after); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{before, same, after} {
		generation := r.Generation()
		if err := load(old); !errors.Is(err, ErrFeedOlder) || r.Generation() != generation {
			t.Errorf("got %v", err)
		}
	}
	if err := r.Check(&claims); !errors.Is(err, ErrRevoked) {
		t.Errorf("the session lives again: %v", err)
	}
	if age, _ := r.FeedAge(now.Add(time.Minute)); age != time.Minute+9*time.Second {
		t.Errorf("the age is %v", age)
	}
	// A verifier that has just started has nothing to compare with: the expiry
	// bounds what it can be told.
	if _, err := keys.RevocationFeed(before, testIssuer, testNow.Add(time.Hour)); !errors.Is(err, ErrFeedExpired) {
		t.Errorf("an expired feed: %v", err)
	}
}

// The feed of another realm, or of another issuer with another key, would lift
// every revocation of this one (RFC 8725, section 3.8).
func TestFeedOfAnotherIssuer(t *testing.T) {
	keys := testKeySet(t, EdDSA)
	text := feedOf(t, NewRevocations(), EdDSA, testNow)
	for _, issuer := range []string{"", testIssuer + ":staff", testIssuer + "/", "https://evil.example"} {
		if _, err := keys.RevocationFeed(text, issuer, testNow); !errors.Is(err, ErrFeedIssuer) {
			t.Errorf("issuer %q: got %v", issuer, err)
		}
	}
	if _, err := testKeySet(t, ES256).RevocationFeed(text, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
		t.Errorf("the key of another issuer: got %v", err)
	}
	_, private := otherKey(t)
	header, payload, _ := segments(text)
	if _, err := keys.RevocationFeed(signAs(EdDSA, private, header+"."+payload), testIssuer, testNow); !errors.Is(err, ErrFeedSignature) {
		t.Errorf("a forged feed: got %v", err)
	}
}

// What is signed for one purpose must not be taken for another: anybody can get
// a login token or the feed (RFC 8725, section 3.11).
func TestFeedAndTokensAreKeptApart(t *testing.T) {
	keys := testKeySet(t, algorithms...)
	feed := feedOf(t, NewRevocations(), EdDSA, testNow)
	for _, purpose := range []Purpose{PurposeLogin, PurposeAssertion} {
		cfg := testConfig()
		cfg.Purpose = purpose
		if _, err := newTestVerifier(t, cfg).Verify(feed, testNow); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("a feed as %s: got %v", purpose, err)
		}
		s := testSigners()[EdDSA]
		_, payload, _ := segments(feed)
		other := signAs(EdDSA, s.private, HeaderSegment(s.key, purpose)+"."+payload)
		if _, err := keys.RevocationFeed(other, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
			t.Errorf("%s as a feed: got %v", purpose, err)
		}
	}
	// With a verifier for feeds there would be a way round.
	cfg := testConfig()
	cfg.Purpose = PurposeRevocations
	if _, err := newTestVerifier(t, cfg).Verify(feed, testNow); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("a feed as a token: got %v", err)
	}
	// Who can check an HS256 signature could have made it.
	secret := feedOf(t, NewRevocations(), HS256, testNow)
	if _, err := keys.RevocationFeed(secret, testIssuer, testNow); !errors.Is(err, ErrFeedUnknownKey) {
		t.Errorf("a feed by HS256: got %v", err)
	}
}
