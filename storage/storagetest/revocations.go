package storagetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// patience returns the limit of the wait for an event that must come.
func patience() time.Duration {
	if testing.Short() {
		return 2 * time.Second
	}
	return 20 * time.Second
}

func revocationChecks() []check {
	return []check{
		{"Cursors", func(t *testing.T, store authcore.Store) {
			_, cursor := feedSince(t, store, "")
			var all []authcore.Revocation
			for i := range 5 {
				wantFeed(t, store, cursor)
				all = append(all, revokeUser(fmt.Sprint(i)))
				revoke(t, store, all[i])
				wantRevoked(t, store, cursor, all[i])
				_, cursor = feedSince(t, store, cursor)
			}
			wantFeed(t, store, "", all...)
		}},
		{"LaterReplacesEarlier", func(t *testing.T, store authcore.Store) {
			first, other, second := revokeUser("a"), revokeUser("b"), revokeUser("a")
			second.Until, second.Value = at(20*day), `{"roles":["é"]}`
			session := authcore.Revocation{Kind: authcore.RevokeSession, ID: "a", Until: at(day)} // another kind
			revoke(t, store, first)
			_, cursor := feedSince(t, store, "")
			revoke(t, store, other, second, session)
			wantRevoked(t, store, cursor, second)
			wantFeed(t, store, "", other, second, session)
			many := []authcore.Revocation{session, first, second, other}
			for i := range 250 {
				many = append(many, authcore.Revocation{Kind: authcore.RevokeSession, ID: fmt.Sprint(i), Until: at(day)})
			}
			revoke(t, store, many...)
			wantFeed(t, store, "", append(many[:1:1], many[2:]...)...)
		}},
		{"LiftSurvivesSweep", func(t *testing.T, store authcore.Store) {
			// A node that read the revocation but not the lift would lock out the user.
			user := signUpNamed(t, store, "ada").User
			disable(t, store, user.ID, at(14*day))
			_, cursor := feedSince(t, store, "")
			update(t, store, user.ID, (*authcore.Account).Enable)
			sweep(t, store, at(time.Hour))
			wantRevoked(t, store, cursor, authcore.Revocation{Kind: authcore.RevokeUser, ID: user.ID})
		}},
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
			for ended := false; ; {
				select {
				case <-stop:
					ended = true // this round returns all that was acknowledged
				default:
				}
				entries, next := feedSince(t, store, cursor)
				maps.Copy(got, entries)
				if cursor = next; ended {
					followed <- got
					return
				}
			}
		}()
	}
	want := make([][]string, writers)
	together(writers, func(i int) {
		for range each {
			session := newSession(time.Hour)
			update(t, store, accounts[i].User.ID, func(a *authcore.Account) { a.Start(session, 0) })
			update(t, store, accounts[i].User.ID, func(a *authcore.Account) {
				a.EndSessions(func(authcore.Session) bool { return true })
			})
			want[i] = append(want[i], feedKey(authcore.RevokeSession, session.ID))
		}
	})
	close(stop)
	for range readers {
		got, missed := receive(t, followed), 0
		for _, key := range slices.Concat(want...) {
			if _, found := got[key]; !found {
				missed++
			}
		}
		if missed > 0 {
			t.Errorf("a reader missed %d of %d entries", missed, writers*each)
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
	for round := range 3 {
		select {
		case <-notified: // left over from an earlier round
		default:
		}
		for deadline, waiting := time.Now().Add(patience()), true; waiting; {
			revoke(t, store, revokeUser(uuid()))
			select {
			case <-notified:
				waiting = false
			case err := <-ended:
				t.Fatalf("round %d: the watch ended with error %v", round, err)
			case <-time.After(50 * time.Millisecond): // a notification may be missed
				if time.Now().After(deadline) {
					t.Fatalf("round %d: no notification came", round)
				}
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
