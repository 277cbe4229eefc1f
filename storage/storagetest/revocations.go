package storagetest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// patience returns the time that the suite waits for an event that must come.
func patience() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return 20 * time.Second
}

func revocationChecks() []check {
	return []check{
		{"EmptyFeed", func(t *testing.T, store authcore.Store) {
			wantFeed(t, store, "")
			_, cursor := feedSince(t, store, "")
			wantFeed(t, store, cursor)
			revoke(t, store, revokeUser("a"))
			wantRevoked(t, store, cursor, revokeUser("a"))
		}},
		{"CursorsProceed", func(t *testing.T, store authcore.Store) {
			cursor := ""
			for i := range 5 {
				revocation := revokeUser(fmt.Sprint(i))
				revoke(t, store, revocation)
				wantRevoked(t, store, cursor, revocation)
				_, cursor = feedSince(t, store, cursor)
			}
			if all, _ := feedSince(t, store, ""); len(all) != 5 {
				t.Errorf("the feed from the beginning has %d entries, want 5", len(all))
			}
		}},
		{"LaterReplacesEarlier", func(t *testing.T, store authcore.Store) {
			first, other, second := revokeUser("a"), revokeUser("b"), revokeUser("a")
			second.Until, second.Value = at(20*day), `{"roles":["é"]}`
			revoke(t, store, first)
			_, cursor := feedSince(t, store, "")
			revoke(t, store, other)
			revoke(t, store, second)
			wantRevoked(t, store, cursor, second)
			wantFeed(t, store, "", other, second)
			session := authcore.Revocation{Kind: authcore.RevokeSession, ID: "a", Until: at(day)}
			revoke(t, store, session) // another kind with the same ID
			wantFeed(t, store, "", other, second, session)
		}},
		{"OneStepHasManyEntries", func(t *testing.T, store authcore.Store) {
			var want []authcore.Revocation
			for i := range 250 {
				want = append(want, authcore.Revocation{Kind: authcore.RevokeSession, ID: fmt.Sprint(i), Until: at(day)})
			}
			revoke(t, store, append(want, revokeUser("a"), revokeUser("a"))...)
			wantFeed(t, store, "", append(want, revokeUser("a"))...)
		}},
		{"LiftSurvivesSweep", liftAndSweep},
		{"SweepForgetsTheExpired", func(t *testing.T, store authcore.Store) {
			expired, live := revokeUser("a"), revokeUser("b")
			expired.Until = at(-time.Millisecond)
			revoke(t, store, expired, live)
			_, cursor := feedSince(t, store, "")
			sweep(t, store, start)
			wantFeed(t, store, "", live)
			revoke(t, store, revokeUser("c")) // the cursor remains usable
			wantRevoked(t, store, cursor, revokeUser("c"))
		}},
		{"NothingMissedUnderConcurrency", followRace},
		{"WatchNotifies", watching},
		{"WatchEndsWithItsContext", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- store.WatchRevocations(ctx, func() {}) }()
			cancel()
			wantErr(t, "WatchRevocations", receive(t, ended), context.Canceled)
			err := store.WatchRevocations(ctx, func() {})
			wantErr(t, "WatchRevocations with an ended context", err, context.Canceled)
		}},
	}
}

// revoke appends entries to the feed by a step of a new user.
func revoke(t *testing.T, store authcore.Store, revocations ...authcore.Revocation) {
	t.Helper()
	signUp(t, store, authcore.Account{User: newUser(""), Revocations: revocations})
}

// liftAndSweep: a node that read the revocation but not the lift must still learn
// of the lift, or the user stays locked out there.
func liftAndSweep(t *testing.T, store authcore.Store) {
	user := signUpNamed(t, store, "ada").User
	disable(t, store, user.ID, at(14*day))
	_, cursor := feedSince(t, store, "")
	update(t, store, user.ID, (*authcore.Account).Enable)
	sweep(t, store, at(time.Hour))
	wantRevoked(t, store, cursor, authcore.Revocation{Kind: authcore.RevokeUser, ID: user.ID})
}

// followRace follows the feed with several readers during concurrent writes. An
// engine that numbers entries before it commits them shows the later number first;
// a cursor that has passed it never returns the earlier entry.
func followRace(t *testing.T, store authcore.Store) {
	const writers, each, readers = 8, 20, 4
	accounts := make([]authcore.Account, writers)
	for i := range accounts {
		accounts[i] = signUpNamed(t, store, fmt.Sprint("user", i))
	}
	_, begin := feedSince(t, store, "")
	stop, followed := make(chan struct{}), make(chan map[string]authcore.Revocation, readers)
	for range readers {
		go func() {
			got, cursor := make(map[string]authcore.Revocation), begin
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
					last = true // one more round returns all that was acknowledged
				default:
				}
			}
		}()
	}
	var mu sync.Mutex
	var want []string
	together(writers, func(i int) {
		for range each {
			session := newSession(time.Hour)
			update(t, store, accounts[i].User.ID, func(a *authcore.Account) {
				a.EndSessions(func(authcore.Session) bool { return true })
				a.Start(session, 0)
			})
			update(t, store, accounts[i].User.ID, func(a *authcore.Account) {
				a.EndSessions(func(s authcore.Session) bool { return s.ID == session.ID })
			})
			mu.Lock()
			want = append(want, feedKey(authcore.RevokeSession, session.ID))
			mu.Unlock()
		}
	})
	close(stop)
	for range readers {
		got, missed := receive(t, followed), 0
		for _, key := range want {
			if _, found := got[key]; !found {
				missed++
			}
		}
		if missed > 0 {
			t.Errorf("a reader missed %d of %d entries", missed, len(want))
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
	retry := time.NewTicker(50 * time.Millisecond) // a notification may be missed
	defer retry.Stop()
	deadline := time.After(patience())
	for round := range 3 {
		select {
		case <-notified: // left over from an earlier round
		default:
		}
		for waiting := true; waiting; {
			revoke(t, store, revokeUser(uuid()))
			select {
			case <-notified:
				waiting = false
			case <-retry.C:
			case err := <-ended:
				t.Fatalf("round %d: the watch ended with error %v", round, err)
			case <-deadline:
				t.Fatalf("round %d: no notification came", round)
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
	case <-time.After(patience()):
		t.Fatalf("no value came within %s", patience())
		panic("unreachable")
	}
}

func feedKey(kind any, id string) string { return fmt.Sprint(kind, " ", id) }

// feedSince reads the feed as a node does: later entries replace earlier ones.
func feedSince(t *testing.T, store authcore.Store, cursor string) (map[string]authcore.Revocation, string) {
	t.Helper()
	entries := make(map[string]authcore.Revocation)
	for {
		revocations, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Errorf("RevocationsSince(%q): error %v", cursor, err)
			return entries, cursor
		}
		if len(revocations) == 0 {
			return entries, next
		}
		for _, r := range revocations {
			r.Age = 0
			entries[feedKey(r.Kind, r.ID)] = r
		}
		cursor = next
	}
}

// wantFeed checks that exactly these revocations follow the cursor.
func wantFeed(t *testing.T, store authcore.Store, cursor string, want ...authcore.Revocation) {
	t.Helper()
	got, _ := feedSince(t, store, cursor)
	for _, revocation := range want {
		wantSame(t, "revocation of "+revocation.ID, got[feedKey(revocation.Kind, revocation.ID)], revocation)
	}
	if len(got) != len(want) {
		t.Errorf("the feed has %d entries after the cursor, want %d", len(got), len(want))
	}
}

// wantRevoked checks that this revocation, in this form, follows the cursor.
func wantRevoked(t *testing.T, store authcore.Store, cursor string, want authcore.Revocation) {
	t.Helper()
	got, _ := feedSince(t, store, cursor)
	wantSame(t, "revocation of "+want.ID, got[feedKey(want.Kind, want.ID)], want)
}
