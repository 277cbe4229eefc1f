package gate

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// What is added and lifted arrives by deltas, whose size depends on the changes.
func TestDelta(t *testing.T) {
	i := newIssuer(t)
	i.copy.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.Add(24 * time.Hour)})
	for n := range 1000 {
		i.copy.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint("old ", n), Until: testNow.Add(24 * time.Hour)})
	}
	if n, err := i.poll(testNow); n != 1001 || err != nil {
		t.Fatalf("first document: %d entries, %v; want 1001", n, err)
	}
	now := testNow.Add(time.Hour)
	for _, age := range []time.Duration{20 * time.Minute, 40 * time.Minute, time.Hour} {
		now = testNow.Add(age)
		if n, err := i.poll(now); n != 0 && age > 20*time.Minute || err != nil {
			t.Errorf("document without changes: %d entries, %v; want 0", n, err)
		}
	}
	i.copy.Apply(
		Revocation{Kind: RevokeUser, ID: testUser},
		Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.Add(24 * time.Hour)},
		Revocation{Kind: RevokeSession, ID: "twice", Until: testNow.Add(24 * time.Hour)},
		Revocation{Kind: RevokeSession, ID: "twice"},
	)
	if n, err := i.poll(now.Add(5 * time.Second)); n != 3 || err != nil {
		t.Errorf("document with changes: %d entries, %v; want 3", n, err)
	}
	for _, test := range []struct {
		claims Claims
		want   error
	}{
		{Claims{Subject: testUser}, nil},
		{Claims{Session: testSession}, ErrRevoked},
		{Claims{Session: "twice"}, nil},
		{Claims{Session: "old 7"}, ErrRevoked},
	} {
		if err := i.client.Check(&test.claims); !errors.Is(err, test.want) {
			t.Errorf("Check(%+v) = %v, want %v", test.claims, err, test.want)
		}
	}
	if got := i.client.Len(); got != 1001 {
		t.Errorf("Len() = %d, want 1001", got)
	}
}

// A client that follows deltas and one that loads the full list agree, whatever
// is added, lifted, replaced and expires.
func TestDeltasAgreeWithTheFullList(t *testing.T) {
	i := newIssuer(t)
	state := uint32(1)
	random := func(n uint32) int {
		state = state*1664525 + 1013904223
		return int(state >> 16 % n)
	}
	now := testNow
	ids := make([]string, 3000)
	for n := range ids {
		ids[n] = fmt.Sprint("session ", n)
	}
	for round := range 300 {
		now = now.Add(time.Duration(1+random(30)) * time.Second)
		for range random(40) {
			entry := Revocation{Kind: RevokeSession, ID: ids[random(3000)], Until: now.Add(time.Duration(random(3600)) * time.Second)}
			if random(5) == 0 {
				entry.Kind, entry.Until = RevokeUser, time.Time{}
			}
			i.copy.Apply(entry)
		}
		if random(10) == 0 {
			i.copy.Sweep(now)
		}
		if _, err := i.poll(now); err != nil {
			t.Fatalf("round %d: Load = %v", round, err)
		}
	}
	full := NewRevocations()
	if err := loadFeed(t, full, signFeed(t, i.copy, EdDSA, feedOptions(now, "")), now); err != nil {
		t.Fatalf("Load(full list) = %v", err)
	}
	for _, id := range ids {
		claims := Claims{Subject: id, Session: id}
		if got, want := i.client.Check(&claims), full.Check(&claims); !errors.Is(got, want) {
			t.Errorf("Check(%s) = %v by deltas, %v by the full list", id, got, want)
		}
	}
	if extra := i.client.Len() - full.Len(); extra < 0 || extra > full.Len() {
		t.Errorf("Len() = %d by deltas, %d by the full list", i.client.Len(), full.Len())
	}
}

// A long list comes in parts, each of which is short enough for one call of a
// guest, and is in force when the last one has arrived.
func TestParts(t *testing.T) {
	const n = 3*maxPartEntries + 100
	source := manyRevocations(n)
	source.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.Add(time.Hour)})
	for _, algorithm := range []string{EdDSA, RS256} {
		parts := signFeed(t, source, algorithm, feedOptions(testNow, ""))
		if len(parts) != 4 {
			t.Fatalf("%s: %d parts, want 4", algorithm, len(parts))
		}
		for i, part := range parts {
			if len(part) > MaxFeedPart {
				t.Errorf("part %d has %d bytes, more than MaxFeedPart", i+1, len(part))
			}
		}
		r := NewRevocations()
		if err := loadFeed(t, r, parts[:3], testNow); err != nil || r.Len() != 0 {
			t.Errorf("after 3 parts: %v, Len() = %d, want 0", err, r.Len())
		}
		if err := loadFeed(t, r, parts, testNow); err != nil || r.Len() != n+1 {
			t.Errorf("after all parts: %v, Len() = %d, want %d", err, r.Len(), n+1)
		}
		if err := r.Check(&Claims{Subject: testUser}); !errors.Is(err, ErrUserInactive) {
			t.Errorf("Check(user) = %v, want ErrUserInactive", err)
		}
	}
}

// Parts are taken in their order and of one document, so that nothing is left out
// or mixed (CWE-345).
func TestPartsOutOfOrder(t *testing.T) {
	source := manyRevocations(2*maxPartEntries + 1)
	keys := testKeySet(t, EdDSA)
	first := signFeed(t, source, EdDSA, feedOptions(testNow, ""))
	second := signFeed(t, source, EdDSA, feedOptions(testNow.Add(time.Second), ""))
	for name, parts := range map[string][]string{
		"the second alone":    {first[1]},
		"one left out":        {first[0], first[2]},
		"one twice":           {first[0], first[1], first[1]},
		"of another document": {first[0], second[1]},
	} {
		r := NewRevocations()
		for i, part := range parts {
			feed, err := keys.RevocationFeed(part, testIssuer, testNow.Add(time.Second))
			if err != nil {
				t.Fatalf("%s: RevocationFeed = %v", name, err)
			}
			var want error
			if i == len(parts)-1 {
				want = ErrFeedGap
			}
			if complete, err := r.Load(feed); complete || !errors.Is(err, want) {
				t.Errorf("%s: Load(part %d) = %t, %v, want %v", name, i+1, complete, err, want)
			}
		}
		// A document from the beginning is taken all the same.
		if err := loadFeed(t, r, second, testNow.Add(time.Second)); err != nil || r.Len() != 2*maxPartEntries+1 {
			t.Errorf("%s: Load of a whole document afterwards = %v, Len() = %d", name, err, r.Len())
		}
	}
}

// Cursors of clients are untrusted: only a few distinct ones get a document of
// their own, the others the full list.
func TestFeedSince(t *testing.T) {
	r := NewRevocations()
	r.Apply(Revocation{Kind: RevokeSession, ID: "x", Until: testNow.Add(time.Hour)})
	r.Refreshed(testNow)
	now := testNow.Unix()
	for cursor, want := range map[string]string{
		"": "", "x": "", "-1": "", "0": "", "99999999999999999999": "", " 1": "",
		fmt.Sprint(now):             fmt.Sprint(now),
		fmt.Sprint(now - 7):         fmt.Sprint(now - 10),
		fmt.Sprint(now - 10):        fmt.Sprint(now - 10),
		fmt.Sprint(now - 200):       fmt.Sprint(now - 600),
		fmt.Sprint(now - 3600):      fmt.Sprint(now - 3600),
		fmt.Sprint(now - 3601):      "",
		fmt.Sprint(now + 30):        fmt.Sprint(now), // of a node whose clock is ahead
		fmt.Sprint(now + 3600):      "",
		fmt.Sprint(now*1000 + 1000): "",
	} {
		if got := r.FeedSince(cursor, testNow); got != want {
			t.Errorf("FeedSince(%q) = %q, want %q", cursor, got, want)
		}
	}
	distinct := map[string]bool{}
	for age := range int64(4000) {
		distinct[r.FeedSince(fmt.Sprint(now-age), testNow)] = true
	}
	if len(distinct) > 24 {
		t.Errorf("FeedSince gives %d different cursors, want 24 at the most", len(distinct))
	}
}

// More changes than the log holds lead to the full list, never to a delta that
// lacks some.
func TestFeedSinceAfterAFlood(t *testing.T) {
	i := newIssuer(t)
	i.copy.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.Add(time.Hour)})
	if _, err := i.poll(testNow); err != nil {
		t.Fatalf("Load = %v", err)
	}
	now := testNow.Add(10 * time.Minute)
	i.copy.Apply(Revocation{Kind: RevokeSession, ID: "first", Until: testNow.Add(2 * time.Hour)})
	for n := range 2*maxLog + 10 {
		if n%10_000 == 0 {
			i.copy.Refreshed(now.Add(time.Duration(n/10_000) * time.Second))
		}
		i.copy.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(n), Until: testNow.Add(2 * time.Hour)})
	}
	now = now.Add(time.Minute)
	if since := i.copy.FeedSince(fmt.Sprint(testNow.Unix()), now); since != "" {
		t.Errorf("FeedSince(lost cursor) = %q, want the full list", since)
	}
	if _, err := i.copy.FeedPayloads(feedOptions(now, fmt.Sprint(testNow.Unix()))); err == nil {
		t.Error("FeedPayloads made a delta that lacks changes")
	}
	if _, err := i.poll(now); err != nil {
		t.Fatalf("Load = %v", err)
	}
	if err := i.client.Check(&Claims{Session: "first"}); !errors.Is(err, ErrRevoked) {
		t.Errorf("Check(first of the flood) = %v, want ErrRevoked", err)
	}
	for _, age := range []time.Duration{20 * time.Minute, 40 * time.Minute} {
		if n, err := i.poll(now.Add(age)); n != 0 && age > 20*time.Minute || err != nil {
			t.Errorf("document after the flood: %d entries, %v; want a delta without any", n, err)
		}
	}
}

// A flood between two stamps displaces changes that have no stamp yet. No delta is made
// until one that begins after them.
func TestFeedSinceWithoutStamps(t *testing.T) {
	r := NewRevocations()
	r.Refreshed(testNow)
	for n := range 2*maxLog + 10 {
		r.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(n), Until: testNow.Add(time.Hour)})
	}
	cursor := func(age time.Duration) string { return fmt.Sprint(testNow.Add(age).Unix()) }
	for range 2 {
		for _, age := range []time.Duration{0, time.Minute, 2 * time.Minute} {
			if since := r.FeedSince(cursor(age), testNow.Add(2*time.Minute)); since != "" {
				t.Errorf("FeedSince(%v) = %q, want the full list", age, since)
			}
		}
		r.Refreshed(testNow.Add(time.Minute))
	}
	r.Refreshed(testNow.Add(10 * time.Minute))
	if since := r.FeedSince(cursor(10*time.Minute), testNow.Add(10*time.Minute)); since == "" {
		t.Error("FeedSince after the flood = full list, want a delta")
	}
}

// A node that has just started reads entries of hours ago. They are in the full
// list but in no delta, because every client has them.
func TestOldEntriesAreInNoDelta(t *testing.T) {
	r := NewRevocations()
	for n, age := range []time.Duration{0, time.Minute, 3 * time.Hour} {
		r.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(n), Until: testNow.Add(time.Hour), Age: age})
	}
	r.Refreshed(testNow)
	for since, want := range map[string]int{"": 3, fmt.Sprint(testNow.Unix()): 2} {
		if n := feedLen(t, signFeed(t, r, EdDSA, feedOptions(testNow, since))[0]); n != want {
			t.Errorf("document since %q has %d entries, want %d", since, n, want)
		}
	}
}
