package memory

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Anybody can count without being anybody: a flood of new addresses must not take
// all memory (CWE-770), and must not free the flooder's own long-lived counter
// before those that end soon.
func TestFloodOfCountersIsBounded(t *testing.T) {
	c := NewCounters()
	c.max = 100
	countOnce(t, c, origin, "attacker", 24*time.Hour)
	countOnce(t, c, origin, "victim", time.Second)
	for i := range 10_000 {
		countOnce(t, c, origin, fmt.Sprint(i), time.Hour)
		if len(unnamed(c).byName) > c.max || len(unnamed(c).queue) != len(unnamed(c).byName) {
			t.Fatalf("%d counters in a queue of %d, with a maximum of %d", len(unnamed(c).byName), len(unnamed(c).queue), c.max)
		}
	}
	if got := countOnce(t, c, origin, "attacker", 24*time.Hour); got.N != 2 {
		t.Errorf("the counter of the longest window was forgotten: %d", got.N)
	}
	if got := countOnce(t, c, origin, "victim", time.Second); got.N != 1 {
		t.Errorf("the counter of the shortest window was kept: %d", got.N)
	}
}

// A flood for one limit must not push the counters of another out: an address
// that is throttled could free itself (CWE-770).
func TestFloodOfOneLimitLeavesTheOthers(t *testing.T) {
	c := NewCounters()
	c.max = 100
	count := func(limit, party string, window time.Duration) int {
		got, err := c.Count(t.Context(), origin, []authcore.Counter{{Limit: limit, Party: party, Window: window}})
		if err != nil {
			t.Fatal(err)
		}
		return got[0].N
	}
	count("login-ip", "192.0.2.1", time.Minute)
	for i := range 1000 {
		count("link-address", fmt.Sprint(i), 15*time.Minute)
	}
	if got := count("login-ip", "192.0.2.1", time.Minute); got != 2 {
		t.Errorf("the counter of the other limit is %d", got)
	}
	if got := count("link-ip", "192.0.2.1", time.Minute); got != 1 {
		t.Errorf("two limits share a counter: %d", got)
	}
}

// A clock that was a year ahead for a moment must not lock people out for a year,
// and setting it right must not free anybody.
func TestClockThatWasAhead(t *testing.T) {
	c := NewCounters()
	countOnce(t, c, origin.AddDate(1, 0, 0), "a", time.Hour)
	countOnce(t, c, origin.AddDate(1, 0, 0), "b", time.Minute)
	got := countOnce(t, c, origin, "a", time.Hour)
	if got.N != 2 || !got.Reset.Equal(origin.Add(time.Hour)) {
		t.Errorf("after the clock was set right: %+v", got)
	}
	if got := countOnce(t, c, origin.Add(time.Hour), "a", time.Hour); got.N != 1 {
		t.Errorf("one window later: %+v", got)
	}
}

// A time with a monotonic reading is compared by that reading with others of its
// kind; while a machine sleeps it stands still, and links would live longer.
func TestStoredTimesAreWallTimes(t *testing.T) {
	store := New()
	expires := time.Now().Add(time.Hour)
	if !strings.Contains(expires.String(), "m=") {
		t.Skip("this platform has no monotonic clock")
	}
	if err := store.PutLink(t.Context(), authcore.Link{EmailKey: "a", Expires: expires}); err != nil {
		t.Fatal(err)
	}
	got, err := store.TakeLink(t.Context(), authcore.Digest{}, origin)
	if err != nil || strings.Contains(got.Expires.String(), "m=") {
		t.Errorf("stored %v, error %v", got.Expires, err)
	}
}

// An id is never used again. A candidate with the id of somebody must not replace
// that user, nor a session the session of another user (CWE-639).
func TestIDsAreNotReplaced(t *testing.T) {
	store := New()
	for _, id := range []string{"1", "2"} {
		candidate := authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true}
		if _, created, err := store.EnsureUser(t.Context(), candidate); err != nil || !created {
			t.Fatalf("EnsureUser: created %v, error %v", created, err)
		}
	}
	_, _, err := store.EnsureUser(t.Context(), authcore.User{ID: "1"})
	if !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureUser: error %v", err)
	}
	_, _, err = store.EnsureIdentity(t.Context(), authcore.Identity{Subject: "1"}, authcore.User{ID: "1"}, true)
	if !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureIdentity: error %v", err)
	}
	if err := store.PutSession(t.Context(), authcore.Session{ID: "s", UserID: "1"}); err != nil {
		t.Fatal(err)
	}
	err = store.PutSession(t.Context(), authcore.Session{ID: "s", UserID: "2"})
	if !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("PutSession: error %v", err)
	}
}

// A change that touches what it must not touch has no effect there: disabling has
// to end the sessions, which a mere field would not.
func TestChangeCannotDisable(t *testing.T) {
	store := New()
	if _, _, err := store.EnsureUser(t.Context(), authcore.User{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	got, err := store.UpdateUser(t.Context(), "1", func(u *authcore.User) error {
		u.ID, u.Disabled = "2", true
		return nil
	})
	if err != nil || got.ID != "1" || got.Disabled {
		t.Errorf("UpdateUser: %+v, error %v", got, err)
	}
}

// A session that outlived the disabling of its user by a fault elsewhere is not
// prolonged (CWE-613).
func TestRenewalAsksForTheUser(t *testing.T) {
	store := New()
	session := authcore.Session{ID: "s", UserID: "1", TokenID: "t", Expires: origin}
	store.sessions.put("s", session)
	_, err := store.RenewSession(t.Context(), "s", "t", "new", origin, origin.Add(-time.Hour))
	if !errors.Is(err, authcore.ErrUserInactive) {
		t.Errorf("RenewSession: error %v", err)
	}
}

// A caller that panics must not leave the store locked for everybody.
func TestPanicLeavesTheStoreUsable(t *testing.T) {
	store := New()
	func() {
		defer func() { _ = recover() }()
		_, _ = store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
			panic("change")
		})
	}()
	if err := store.Sweep(t.Context(), origin); err != nil {
		t.Errorf("Sweep: %v", err)
	}
}

// A cursor that the store never gave out, one from before a restart, must not
// hide revocations; and what was replaced must not pile up.
func TestFeed(t *testing.T) {
	f := newFeed()
	for i := range 1000 {
		f.add(authcore.Revocation{
			Kind: authcore.RevokeUser, ID: fmt.Sprint(i % 3), Until: origin.Add(time.Duration(i) * time.Second),
		})
	}
	if len(f.entries) > 8 {
		t.Errorf("%d entries for 3 revocations", len(f.entries))
	}
	for _, cursor := range []string{"", "0", "1001", "-1", "x", "9999999999999999999999"} {
		if entries, next := f.since(cursor); len(entries) != 3 || next != "1000" {
			t.Errorf("cursor %q: %v, next %q", cursor, entries, next)
		}
	}
	if entries, _ := f.since("998"); len(entries) != 2 {
		t.Errorf("after cursor 998: %v", entries)
	}
	f.sweep(origin.Add(time.Hour))
	if entries, next := f.since(""); len(entries) != 0 || next != "1000" || len(f.numbers) != 0 {
		t.Errorf("after sweep: %v, next %q", entries, next)
	}
}
