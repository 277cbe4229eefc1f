package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func sessionChecks() []check {
	return []check{
		{"RefusedForAnUnknownUser", func(t *testing.T, store authcore.Store) {
			session := newSession(uuid(), 0)
			err := store.PutSession(t.Context(), session)
			wantErr(t, "PutSession", err, authcore.ErrUserInactive)
			wantSessions(t, store, session.UserID, start)
		}},
		{"StoredWhole", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			want := addSession(t, store, user.ID, 0)
			got, err := store.SessionsOf(t.Context(), user.ID, start)
			wantErr(t, "SessionsOf", err, nil)
			wantSame(t, "sessions", got, []authcore.Session{want})
		}},
		{"NewestFirst", func(t *testing.T, store authcore.Store) {
			user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
			second := addSession(t, store, user.ID, time.Minute)
			first := addSession(t, store, user.ID, 0)
			third := addSession(t, store, user.ID, time.Hour)
			addSession(t, store, other.ID, time.Second)
			wantSessions(t, store, user.ID, start, third, second, first)
		}},
		{"LiveOnly", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			first := addSession(t, store, user.ID, 0)
			second := addSession(t, store, user.ID, time.Minute)
			wantSessions(t, store, user.ID, first.Expires.Add(-time.Millisecond), second, first)
			wantSessions(t, store, user.ID, first.Expires, second)
			wantSessions(t, store, user.ID, second.Expires)
		}},
		{"EndSessionsByPredicate", ending},
		{"EndSessionsLeavesOthersAlone", func(t *testing.T, store authcore.Store) {
			user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
			session := addSession(t, store, other.ID, 0)
			ended, err := store.EndSessions(t.Context(), user.ID, everySession, start)
			wantErr(t, "EndSessions", err, nil)
			if len(ended) != 0 {
				t.Errorf("ended %s", plain(ended))
			}
			_, err = store.EndSessions(t.Context(), uuid(), everySession, start)
			wantErr(t, "EndSessions of nobody", err, nil)
			wantSessions(t, store, other.ID, start, session)
			wantFeed(t, store, "", nil)
		}},
		{"EndSessionsOnce", endRace},
		{"MarkSeenMovesForwardOnly", markSeen},
	}
}

func everySession(authcore.Session) bool { return true }

func ending(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	expired := addSession(t, store, user.ID, -20*24*time.Hour)
	kept := addSession(t, store, user.ID, 0)
	one := addSession(t, store, user.ID, time.Minute)
	two := addSession(t, store, user.ID, 2*time.Minute)
	ended, err := store.EndSessions(t.Context(), user.ID, func(s authcore.Session) bool {
		return s.ID != kept.ID
	}, at(time.Hour))
	wantErr(t, "EndSessions", err, nil)
	slices.SortFunc(ended, func(a, b authcore.Session) int { return a.Created.Compare(b.Created) })
	wantSame(t, "ended", ended, []authcore.Session{one, two})
	wantSessions(t, store, user.ID, at(time.Hour), kept)
	wantFeed(t, store, "", map[string]time.Time{
		feedKey(authcore.RevokeSession, one.ID): one.Expires,
		feedKey(authcore.RevokeSession, two.ID): two.Expires,
	})
	for _, session := range []authcore.Session{one, expired} {
		_, err = store.RenewSession(
			t.Context(), session.ID, session.TokenID, uuid(), at(30*24*time.Hour), at(time.Hour),
		)
		wantErr(t, "RenewSession of an ended session", err, authcore.ErrNotFound)
	}
}

func endRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	for i := range 10 {
		addSession(t, store, user.ID, time.Duration(i)*time.Second)
	}
	results := make([][]authcore.Session, crowd)
	together(crowd, func(i int) {
		ended, err := store.EndSessions(t.Context(), user.ID, everySession, at(time.Hour))
		wantErr(t, "EndSessions", err, nil)
		results[i] = ended
	})
	seen := make(map[string]int)
	for _, id := range sessionIDs(slices.Concat(results...)) {
		seen[id]++
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("session %s was ended %d times", id, times)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d of 10 sessions were ended", len(seen))
	}
	wantSessions(t, store, user.ID, at(time.Hour))
}

func markSeen(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	first := addSession(t, store, user.ID, 0)
	second := addSession(t, store, user.ID, time.Minute)
	mark := func(seen map[string]time.Time) {
		t.Helper()
		wantErr(t, "MarkSeen", store.MarkSeen(t.Context(), seen), nil)
		got, err := store.SessionsOf(t.Context(), user.ID, start)
		wantErr(t, "SessionsOf", err, nil)
		wantSame(t, "sessions", got, []authcore.Session{second, first})
	}
	first.LastSeen, second.LastSeen = at(time.Hour), at(2*time.Hour)
	mark(map[string]time.Time{first.ID: at(time.Hour), second.ID: at(2 * time.Hour), uuid(): at(time.Hour)})
	second.LastSeen = at(3 * time.Hour)
	mark(map[string]time.Time{first.ID: at(time.Minute), second.ID: at(3 * time.Hour)})
	mark(map[string]time.Time{first.ID: {}})
	mark(nil)
	together(crowd, func(i int) {
		seen := map[string]time.Time{
			first.ID:  at(4*time.Hour + time.Duration(i)*time.Second),
			second.ID: at(5*time.Hour - time.Duration(i)*time.Second),
		}
		wantErr(t, "MarkSeen", store.MarkSeen(t.Context(), seen), nil)
	})
	first.LastSeen, second.LastSeen = at(4*time.Hour+(crowd-1)*time.Second), at(5*time.Hour)
	mark(nil)
}
