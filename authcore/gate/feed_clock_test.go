package gate

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A clock that jumps forward and back, at the issuer or at the verifier, for a
// moment or for days, revives no ended session (CWE-613).
func TestClockJumpsReviveNothing(t *testing.T) {
	const jump = 40 * 24 * time.Hour
	ended := Claims{Session: testSession}
	late := Claims{Session: "late"}
	entry := func(claims Claims) Revocation {
		return Revocation{Kind: RevokeSession, ID: claims.Session, Until: testNow.Add(14 * 24 * time.Hour)}
	}
	mustRevoke := func(t *testing.T, r *Revocations, claims Claims, now time.Time) {
		t.Helper()
		state, loaded := r.Feed()
		if err := r.Check(&claims); !errors.Is(err, ErrRevoked) && loaded && !state.IsStale(now, 5*time.Minute) {
			t.Errorf("session %q is alive at %v, with a feed that counts as fresh", claims.Session, now)
		}
	}
	start := func(t *testing.T) *issuer {
		i := newIssuer(t)
		i.copy.Apply(entry(ended))
		if _, err := i.poll(testNow); err != nil {
			t.Fatalf("Load = %v", err)
		}
		return i
	}
	t.Run("of the verifier", func(t *testing.T) {
		i := start(t)
		parts := signFeed(t, i.copy, EdDSA, feedOptions(testNow.Add(time.Second), ""))
		if _, err := testKeySet(t, EdDSA).RevocationFeed(parts[0], testIssuer, testNow.Add(jump)); !errors.Is(err, ErrFeedExpired) {
			t.Errorf("RevocationFeed with the clock ahead = %v, want ErrFeedExpired", err)
		}
		mustRevoke(t, i.client, ended, testNow.Add(jump))
		mustRevoke(t, i.client, ended, testNow.Add(2*time.Second))
		if _, err := i.poll(testNow.Add(5 * time.Second)); err != nil {
			t.Errorf("Load after the jump = %v", err)
		}
		mustRevoke(t, i.client, ended, testNow.Add(5*time.Second))
	})
	t.Run("of the issuer", func(t *testing.T) {
		i := start(t)
		i.copy.Refreshed(testNow.Add(jump))
		parts := signFeed(t, i.copy, EdDSA, feedOptions(testNow.Add(jump), ""))
		if _, err := testKeySet(t, EdDSA).RevocationFeed(parts[0], testIssuer, testNow.Add(time.Second)); !errors.Is(err, ErrFeedExpired) {
			t.Errorf("RevocationFeed dated in the future = %v, want ErrFeedExpired", err)
		}
		i.copy.Apply(entry(late))
		if _, err := i.poll(testNow.Add(5 * time.Second)); err != nil {
			t.Errorf("Load after the jump = %v", err)
		}
		mustRevoke(t, i.client, ended, testNow.Add(5*time.Second))
		mustRevoke(t, i.client, late, testNow.Add(5*time.Second))
	})
	t.Run("of both", func(t *testing.T) {
		i := start(t)
		if _, err := i.poll(testNow.Add(jump)); err != nil { // the full list, empty at that time
			t.Errorf("Load during the jump = %v", err)
		}
		now := testNow.Add(10 * time.Second)
		mustRevoke(t, i.client, ended, now) // it has no entry, but counts as stale
		i.copy.Apply(entry(late))
		if _, err := i.poll(now); err != nil {
			t.Errorf("Load after the jump = %v, want the full list to be taken", err)
		}
		state, _ := i.client.Feed()
		if !state.IssuedAt.Equal(now) {
			t.Errorf("the feed in use is of %v, want %v", state.IssuedAt, now)
		}
		mustRevoke(t, i.client, ended, now)
		mustRevoke(t, i.client, late, now)
	})
}

// While the feed in use is dated in the future, the order of two full lists is
// unknown. An attacker who replays an old one then lifts nothing (CWE-294).
func TestReplayAfterAClockJump(t *testing.T) {
	old := signFeed(t, NewRevocations(), EdDSA, feedOptions(testNow, ""))
	r := NewRevocations()
	ahead := testNow.Add(2 * time.Hour)
	source := NewRevocations()
	source.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: ahead.Add(time.Hour)})
	if err := loadFeed(t, r, signFeed(t, source, EdDSA, feedOptions(ahead, "")), ahead); err != nil {
		t.Fatalf("Load = %v", err)
	}
	if err := loadFeed(t, r, old, testNow.Add(time.Second)); err != nil {
		t.Errorf("Load of an older list after the jump = %v", err)
	}
	if err := r.Check(&Claims{Session: testSession}); !errors.Is(err, ErrRevoked) {
		t.Errorf("Check = %v, want ErrRevoked", err)
	}
}

// An issuer whose clock is set back by a few minutes dates what happens then
// before the cursor of its clients. They get the full list.
func TestIssuerClockSetBack(t *testing.T) {
	i := newIssuer(t)
	if _, err := i.poll(testNow); err != nil {
		t.Fatalf("Load = %v", err)
	}
	restarted := NewRevocations() // it forgot the stamps that it had given
	i.copy = restarted
	back := testNow.Add(-10 * time.Minute)
	restarted.Refreshed(back)
	restarted.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.Add(time.Hour)})
	parts := signFeed(t, restarted, EdDSA, feedOptions(back, ""))
	restarted.Refreshed(back.Add(time.Second))
	if err := loadFeed(t, i.client, parts, testNow); !errors.Is(err, ErrFeedOlder) {
		t.Errorf("Load(older) = %v, want ErrFeedOlder", err)
	}
	if state, _ := i.client.Feed(); state.Cursor != "" {
		t.Errorf("Cursor = %q after an older document, want none", state.Cursor)
	}
	if _, err := i.poll(testNow.Add(30 * time.Second)); err != nil {
		t.Fatalf("Load = %v", err)
	}
	if err := i.client.Check(&Claims{Session: testSession}); !errors.Is(err, ErrRevoked) {
		t.Errorf("Check = %v, want ErrRevoked", err)
	}
	if state, _ := i.client.Feed(); state.Cursor == "" {
		t.Error("Cursor is empty after a full list")
	}
}

// Two nodes serve one client in turn. The clock of one is nearly a minute ahead, and
// then that node fails. No revocation is lost between them.
func TestDeltasOfTwoNodes(t *testing.T) {
	const skew = 55 * time.Second
	client := NewRevocations()
	ahead, behind := NewRevocations(), NewRevocations()
	full, refused := 0, 0
	for second := range 600 {
		now := testNow.Add(time.Duration(second) * time.Second)
		entry := Revocation{Kind: RevokeSession, ID: fmt.Sprint(second), Until: now.Add(time.Hour)}
		ahead.Apply(entry)
		ahead.Refreshed(now.Add(skew))
		behind.Apply(entry)
		behind.Refreshed(now)
		if second%5 != 0 {
			continue
		}
		node := behind
		if second/5%2 == 0 && second < 200 {
			node = ahead
		}
		state, loaded := client.Feed()
		issued := node.RefreshedAt()
		since := node.FeedSince(state.Cursor, issued)
		if loaded && since == "" {
			full++
		}
		switch err := loadFeed(t, client, signFeed(t, node, EdDSA, feedOptions(issued, since)), now); {
		case errors.Is(err, ErrFeedOlder):
			refused++
		case err != nil:
			t.Fatalf("second %d: Load = %v", second, err)
		}
	}
	for second := range 590 {
		if err := client.Check(&Claims{Session: fmt.Sprint(second)}); !errors.Is(err, ErrRevoked) {
			t.Errorf("Check(session of second %d) = %v, want ErrRevoked", second, err)
		}
	}
	if full > 0 || refused == 0 {
		t.Errorf("%d full lists and %d refused documents, want none and some", full, refused)
	}
}

// An entry is kept until the verifier's clock, too, has passed its end: also in a full
// list. Afterwards it is deleted, although no document mentions it.
func TestExpiredEntriesGo(t *testing.T) {
	i := newIssuer(t)
	const n = 2000
	for k := range n {
		// Too old for a delta.
		i.copy.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(k), Until: testNow.Add(time.Minute), Age: 24 * time.Hour})
	}
	if _, err := i.poll(testNow); err != nil {
		t.Fatalf("Load = %v", err)
	}
	now := testNow.Add(110 * time.Second)
	if _, err := i.poll(now); err != nil || i.client.Len() != n {
		t.Errorf("Load = %v with %d entries, want all %d within the leeway", err, i.client.Len(), n)
	}
	late := NewRevocations()
	if err := loadFeed(t, late, signFeed(t, i.copy, EdDSA, feedOptions(now, "")), now); err != nil || late.Len() != n {
		t.Errorf("Load(full list) = %v with %d entries, want all %d within the leeway", err, late.Len(), n)
	}
	for range 128 {
		now = now.Add(5 * time.Second)
		if entries, err := i.poll(now); err != nil || entries != 0 {
			t.Fatalf("Load = %v with %d entries, want an empty delta", err, entries)
		}
	}
	if i.client.Len() != 0 {
		t.Errorf("Len() = %d after the end of all entries, want 0", i.client.Len())
	}
}
