package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// patience is how long the suite waits for something that must come.
const patience = 10 * time.Second

func revocationChecks() []check {
	return []check{
		{"EmptyFeed", func(t *testing.T, store authcore.Store) {
			wantFeed(t, store, "", nil)
			_, cursor := feedSince(t, store, "")
			wantFeed(t, store, cursor, nil)
			user := addUser(t, store, "ada@example.com")
			disable(t, store, user.ID, at(time.Hour))
			wantRevoked(t, store, cursor, authcore.RevokeUser, user.ID, at(time.Hour))
		}},
		{"CursorGoesOn", cursors},
		{"LaterReplacesEarlier", replacing},
		{"LiftSurvivesSweepWhileNeeded", liftAndSweep},
		{"SweepForgetsTheExpired", sweepFeed},
		{"CursorSurvivesSweep", sweptCursor},
		{"NothingMissedUnderConcurrency", followRace},
		{"WatchNotifies", watching},
		{"WatchEndsWithItsContext", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- store.WatchRevocations(ctx, func() {}) }()
			cancel()
			wantErr(t, "WatchRevocations", receive(t, ended), context.Canceled)
			err := store.WatchRevocations(ctx, func() {})
			wantErr(t, "WatchRevocations of an ended context", err, context.Canceled)
		}},
	}
}

func disable(t *testing.T, store authcore.Store, userID string, until time.Time) {
	t.Helper()
	_, err := store.SetDisabled(t.Context(), userID, true, until, start)
	wantErr(t, "SetDisabled", err, nil)
}

func cursors(t *testing.T, store authcore.Store) {
	cursor := ""
	for i := range 5 {
		user := addUser(t, store, fmt.Sprintf("user%d@example.com", i))
		disable(t, store, user.ID, at(time.Hour))
		got, next := feedSince(t, store, cursor)
		want := map[string]time.Time{feedKey(authcore.RevokeUser, user.ID): at(time.Hour)}
		if _, found := got[feedKey(authcore.RevokeUser, user.ID)]; !found {
			t.Errorf("after cursor %q: %v, want %v among it", cursor, got, want)
		}
		cursor = next
	}
	all, _ := feedSince(t, store, "")
	if len(all) != 5 {
		t.Errorf("from the beginning: %d revocations, want 5", len(all))
	}
}

func replacing(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	disable(t, store, user.ID, at(time.Hour))
	_, cursor := feedSince(t, store, "")
	disable(t, store, other.ID, at(time.Hour))
	disable(t, store, user.ID, at(3*time.Hour))
	wantRevoked(t, store, cursor, authcore.RevokeUser, user.ID, at(3*time.Hour))
	wantFeed(t, store, "", map[string]time.Time{
		feedKey(authcore.RevokeUser, user.ID):  at(3 * time.Hour),
		feedKey(authcore.RevokeUser, other.ID): at(time.Hour),
	})
}

// liftAndSweep: a node that saw the revocation but was away when it was lifted
// must learn of the lift, or the user stays locked out there.
func liftAndSweep(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	disable(t, store, user.ID, at(14*24*time.Hour))
	_, cursor := feedSince(t, store, "")
	_, err := store.SetDisabled(t.Context(), user.ID, false, time.Time{}, at(time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(2*time.Hour)), nil)
	wantRevoked(t, store, cursor, authcore.RevokeUser, user.ID, time.Time{})
}

func sweepFeed(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	disable(t, store, user.ID, at(time.Hour))
	disable(t, store, other.ID, at(3*time.Hour))
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(time.Hour-time.Millisecond)), nil)
	wantRevoked(t, store, "", authcore.RevokeUser, user.ID, at(time.Hour))
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(2*time.Hour)), nil)
	wantFeed(t, store, "", map[string]time.Time{
		feedKey(authcore.RevokeUser, other.ID): at(3 * time.Hour),
	})
}

func sweptCursor(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	disable(t, store, user.ID, at(time.Hour))
	_, cursor := feedSince(t, store, "")
	wantErr(t, "Sweep", store.Sweep(t.Context(), at(2*time.Hour)), nil)
	disable(t, store, other.ID, at(3*time.Hour))
	wantRevoked(t, store, cursor, authcore.RevokeUser, other.ID, at(3*time.Hour))
}

// followRace lets a reader follow the feed while many write. An engine that
// numbers entries before it commits them shows the later number first, and a
// cursor that has passed it never sees the earlier one.
func followRace(t *testing.T, store authcore.Store) {
	const writers, each = 8, 25
	users := make([]authcore.User, writers)
	for i := range users {
		users[i] = addUser(t, store, fmt.Sprintf("user%d@example.com", i))
	}
	want := make(map[string]time.Time)
	var mu sync.Mutex
	stop, followed := make(chan struct{}), make(chan map[string]time.Time, 1)
	go func() {
		got, cursor := make(map[string]time.Time), ""
		for last := false; ; {
			entries, next := feedSince(t, store, cursor)
			maps.Copy(got, entries)
			cursor = next
			if last {
				followed <- got
				return
			}
			select {
			case <-stop:
				last = true // one more round sees all that was acknowledged
			default:
			}
		}
	}()
	together(writers, func(i int) {
		for range each {
			session := newSession(users[i].ID, 0)
			wantErr(t, "PutSession", store.PutSession(t.Context(), session), nil)
			_, err := store.EndSessions(t.Context(), users[i].ID, everySession, start)
			wantErr(t, "EndSessions", err, nil)
			mu.Lock()
			want[feedKey(authcore.RevokeSession, session.ID)] = session.Expires
			mu.Unlock()
		}
	})
	close(stop)
	got := receive(t, followed)
	for key := range want {
		if _, found := got[key]; !found {
			t.Errorf("the follower never saw %s", key)
		}
	}
}

func watching(t *testing.T, store authcore.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	ended, notified := make(chan error, 1), make(chan struct{}, 1)
	go func() {
		ended <- store.WatchRevocations(ctx, func() {
			select {
			case notified <- struct{}{}:
			default:
			}
		})
	}()
	user := addUser(t, store, "ada@example.com")
	retry := time.NewTicker(50 * time.Millisecond) // a notification may be missed
	defer retry.Stop()
	deadline := time.After(patience)
	for round := range 3 {
		select {
		case <-notified: // left over from before this round
		default:
		}
		for waiting := true; waiting; {
			disable(t, store, user.ID, at(time.Hour))
			select {
			case <-notified:
				waiting = false
			case <-retry.C:
			case err := <-ended:
				t.Fatalf("round %d: the watch ended: %v", round, err)
			case <-deadline:
				t.Fatalf("round %d: no notification", round)
			}
		}
	}
	cancel()
	wantErr(t, "WatchRevocations", receive(t, ended), context.Canceled)
}

// receive waits for a value that must come.
func receive[T any](t *testing.T, values <-chan T) T {
	t.Helper()
	select {
	case value := <-values:
		return value
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

func feedKey(kind any, id string) string { return fmt.Sprint(kind, " ", id) }

// feedSince reads the feed as a node does: later entries replace earlier ones.
func feedSince(t *testing.T, store authcore.Store, cursor string) (map[string]time.Time, string) {
	t.Helper()
	entries := make(map[string]time.Time)
	for {
		revocations, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("RevocationsSince: %v", err)
		}
		for _, r := range revocations {
			entries[feedKey(r.Kind, r.ID)] = r.Until.UTC()
		}
		if err != nil || len(revocations) == 0 {
			return entries, next
		}
		cursor = next
	}
}

// wantFeed checks that exactly these revocations follow the cursor.
func wantFeed(t *testing.T, store authcore.Store, cursor string, want map[string]time.Time) {
	t.Helper()
	got, _ := feedSince(t, store, cursor)
	if !maps.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("revocations after cursor %q:\n got %v\nwant %v", cursor, got, want)
	}
}

// wantRevoked checks that this revocation, in this form, follows the cursor.
func wantRevoked(
	t *testing.T, store authcore.Store, cursor string, kind any, id string, until time.Time,
) {
	t.Helper()
	got, _ := feedSince(t, store, cursor)
	if entry, found := got[feedKey(kind, id)]; !found || !entry.Equal(until) {
		t.Errorf("revocations after cursor %q: %v, want %v %s until %v among them", cursor, got, kind, id, until)
	}
}
