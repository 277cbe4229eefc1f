package storagetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func renewChecks() []check {
	return []check{
		{"ReplacesTheToken", renewing},
		{"OneWinnerOfMany", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			session := addSession(t, store, user.ID, 0)
			tokens := make([]string, crowd)
			for i := range tokens {
				tokens[i] = uuid()
			}
			won := winners(t, authcore.ErrNotFound, func(i int) error {
				_, err := store.RenewSession(
					t.Context(), session.ID, session.TokenID, tokens[i], at(15*24*time.Hour), at(time.Hour),
				)
				return err
			})
			got, err := store.SessionsOf(t.Context(), user.ID, at(time.Hour))
			wantErr(t, "SessionsOf", err, nil)
			if won != 1 || len(got) != 1 || !slices.Contains(tokens, got[0].TokenID) {
				t.Errorf("%d of %d callers renewed one token; session now %s", won, crowd, plain(got))
			}
			wantFeed(t, store, "", map[string]time.Time{
				feedKey(authcore.RevokeToken, session.TokenID): session.Expires,
			})
		}},
		{"RefusedWhenUnknownOrExpired", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			session := addSession(t, store, user.ID, 0)
			renew := func(id, old string, now time.Time) error {
				_, err := store.RenewSession(t.Context(), id, old, uuid(), at(30*24*time.Hour), now)
				return err
			}
			wantErr(t, "unknown session", renew(uuid(), session.TokenID, start), authcore.ErrNotFound)
			wantErr(t, "unknown token", renew(session.ID, uuid(), start), authcore.ErrNotFound)
			wantErr(t, "empty token", renew(session.ID, "", start), authcore.ErrNotFound)
			expired := renew(session.ID, session.TokenID, session.Expires)
			wantErr(t, "expired session", expired, authcore.ErrNotFound)
			wantSessions(t, store, user.ID, start, session)
			wantFeed(t, store, "", nil)
		}},
		{"RefusedWhenDisabled", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			session := addSession(t, store, user.ID, 0)
			_, err := store.SetDisabled(t.Context(), user.ID, true, at(14*24*time.Hour), start)
			wantErr(t, "SetDisabled", err, nil)
			_, err = store.RenewSession(
				t.Context(), session.ID, session.TokenID, uuid(), session.Expires, at(time.Hour),
			)
			// Disabling ended the session, so that either is true.
			if !errors.Is(err, authcore.ErrUserInactive) && !errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("RenewSession of a disabled user: error %v", err)
			}
		}},
		{"NoTokenOutrunsTheEnd", renewEndRace},
	}
}

func renewing(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	former := addSession(t, store, user.ID, 0)
	want := former
	want.TokenID, want.Expires = uuid(), at(15*24*time.Hour)
	got, err := store.RenewSession(
		t.Context(), former.ID, former.TokenID, want.TokenID, want.Expires, at(24*time.Hour),
	)
	wantErr(t, "RenewSession", err, nil)
	wantSame(t, "returned", got, want)
	sessions, err := store.SessionsOf(t.Context(), user.ID, former.Expires)
	wantErr(t, "SessionsOf", err, nil)
	wantSame(t, "stored", sessions, []authcore.Session{want})
	wantFeed(t, store, "", map[string]time.Time{
		feedKey(authcore.RevokeToken, former.TokenID): former.Expires,
	})
	_, err = store.RenewSession(
		t.Context(), former.ID, former.TokenID, uuid(), want.Expires, at(24*time.Hour),
	)
	wantErr(t, "RenewSession with the old token", err, authcore.ErrNotFound)
	_, err = store.RenewSession(
		t.Context(), former.ID, want.TokenID, uuid(), at(16*24*time.Hour), former.Expires,
	)
	wantErr(t, "RenewSession with the new token", err, nil)
}

// renewEndRace: a logout and a refresh of the same session at once must not
// leave a live session behind.
func renewEndRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	for range 10 {
		session := addSession(t, store, user.ID, 0)
		together(2, func(i int) {
			if i == 0 {
				_, err := store.EndSessions(t.Context(), user.ID, everySession, start)
				wantErr(t, "EndSessions", err, nil)
				return
			}
			_, err := store.RenewSession(
				t.Context(), session.ID, session.TokenID, uuid(), at(15*24*time.Hour), start,
			)
			if err != nil {
				wantErr(t, "RenewSession", err, authcore.ErrNotFound)
			}
		})
		wantSessions(t, store, user.ID, start)
	}
}
