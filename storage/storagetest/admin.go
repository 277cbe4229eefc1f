package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func adminChecks() []check {
	return []check{
		{"UnknownUserIsNotFound", func(t *testing.T, store authcore.Store) {
			for _, disabled := range []bool{true, false} {
				_, err := store.SetDisabled(t.Context(), uuid(), disabled, at(time.Hour), start)
				wantErr(t, "SetDisabled", err, authcore.ErrNotFound)
			}
			err := store.DeleteUser(t.Context(), uuid(), at(time.Hour), start)
			wantErr(t, "DeleteUser", err, authcore.ErrNotFound)
			wantFeed(t, store, "", nil)
		}},
		{"DisablingEndsSessionsAndRevokes", disabling},
		{"EnablingLiftsTheRevocation", enabling},
		{"EnablingBringsNoSessionBack", reenabling},
		{"DeletingRemovesEverything", deleting},
		{"NoSessionOutrunsDisabling", disableRace},
		{"NoSessionOutrunsDeleting", deleteRace},
	}
}

func disabling(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	addSession(t, store, user.ID, 0)
	addSession(t, store, user.ID, time.Minute)
	kept := addSession(t, store, other.ID, 0)
	until := at(14 * 24 * time.Hour)
	got, err := store.SetDisabled(t.Context(), user.ID, true, until, at(time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	user.Disabled = true
	wantSame(t, "returned", got, user)
	got, err = store.User(t.Context(), user.ID)
	wantErr(t, "User", err, nil)
	wantSame(t, "stored", got, user)
	wantSessions(t, store, user.ID, at(time.Hour))
	wantSessions(t, store, other.ID, at(time.Hour), kept)
	wantRevoked(t, store, "", authcore.RevokeUser, user.ID, until)
	err = store.PutSession(t.Context(), newSession(user.ID, time.Hour))
	wantErr(t, "PutSession", err, authcore.ErrUserInactive)
	_, err = store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
		u.FirstName = "Grace"
		return nil
	})
	wantErr(t, "UpdateUser of a disabled user", err, nil)
	got, err = store.UserByEmail(t.Context(), "ada@example.com")
	wantErr(t, "UserByEmail of a disabled user", err, nil)
	if !got.Disabled || got.FirstName != "Grace" {
		t.Errorf("after an update: %s", plain(got))
	}
}

func enabling(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	_, err := store.SetDisabled(t.Context(), user.ID, true, at(14*24*time.Hour), start)
	wantErr(t, "SetDisabled", err, nil)
	_, cursor := feedSince(t, store, "")
	got, err := store.SetDisabled(t.Context(), user.ID, false, at(14*24*time.Hour), at(time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	wantSame(t, "enabled", got, user)
	wantRevoked(t, store, cursor, authcore.RevokeUser, user.ID, time.Time{})
	addSession(t, store, user.ID, time.Hour)
}

// reenabling: a thief's session ends because the account is disabled; when the
// owner gets the account back, the thief's token must stay dead although the
// revocation of the user is lifted (CWE-613).
func reenabling(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	stolen := addSession(t, store, user.ID, 0)
	_, err := store.SetDisabled(t.Context(), user.ID, true, at(14*24*time.Hour), at(time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	_, err = store.SetDisabled(t.Context(), user.ID, false, time.Time{}, at(2*time.Hour))
	wantErr(t, "SetDisabled", err, nil)
	wantSessions(t, store, user.ID, at(2*time.Hour))
	wantRevoked(t, store, "", authcore.RevokeSession, stolen.ID, stolen.Expires)
}

func deleting(t *testing.T, store authcore.Store) {
	user, other := addUser(t, store, "ada@example.com"), addUser(t, store, "grace@example.com")
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity("1", user.ID)), nil)
	wantErr(t, "LinkIdentity", store.LinkIdentity(t.Context(), newIdentity("2", other.ID)), nil)
	session := addSession(t, store, user.ID, 0)
	kept := addSession(t, store, other.ID, 0)
	until := at(14 * 24 * time.Hour)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), user.ID, until, at(time.Hour)), nil)

	_, err := store.User(t.Context(), user.ID)
	wantErr(t, "User", err, authcore.ErrNotFound)
	_, err = store.UserByEmail(t.Context(), "ada@example.com")
	wantErr(t, "UserByEmail", err, authcore.ErrNotFound)
	wantSessions(t, store, user.ID, at(time.Hour))
	wantSessions(t, store, other.ID, at(time.Hour), kept)
	_, err = store.RenewSession(
		t.Context(), session.ID, session.TokenID, uuid(), session.Expires, at(time.Hour),
	)
	wantErr(t, "RenewSession", err, authcore.ErrNotFound)
	err = store.PutSession(t.Context(), newSession(user.ID, time.Hour))
	wantErr(t, "PutSession", err, authcore.ErrUserInactive)
	wantRevoked(t, store, "", authcore.RevokeUser, user.ID, until)
	wantRevoked(t, store, "", authcore.RevokeSession, session.ID, session.Expires)
	wantErr(t, "DeleteUser again", store.DeleteUser(t.Context(), user.ID, until, start), authcore.ErrNotFound)

	newcomer := newUser("ada@example.com", true)
	got, created, err := store.EnsureIdentity(t.Context(), newIdentity("1", ""), newcomer, false)
	if err != nil || !created || got.ID != newcomer.ID {
		t.Errorf("the identity of a deleted user: created %v, error %v, user %s", created, err, plain(got))
	}
	_, created, err = store.EnsureIdentity(t.Context(), newIdentity("2", ""), newUser("x@example.com", true), false)
	if err != nil || created {
		t.Errorf("the identity of another user: created %v, error %v", created, err)
	}
}

func disableRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	together(crowd, func(i int) {
		if i == crowd/2 {
			_, err := store.SetDisabled(t.Context(), user.ID, true, at(time.Hour), start)
			wantErr(t, "SetDisabled", err, nil)
			return
		}
		if err := store.PutSession(t.Context(), newSession(user.ID, 0)); err != nil {
			wantErr(t, "PutSession", err, authcore.ErrUserInactive)
		}
	})
	wantSessions(t, store, user.ID, start)
}

func deleteRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	together(crowd, func(i int) {
		switch {
		case i == crowd/2:
			err := store.DeleteUser(t.Context(), user.ID, at(time.Hour), start)
			wantErr(t, "DeleteUser", err, nil)
		case i%2 == 0:
			if err := store.LinkIdentity(t.Context(), newIdentity(uuid(), user.ID)); err != nil {
				wantErr(t, "LinkIdentity", err, authcore.ErrNotFound)
			}
		default:
			if err := store.PutSession(t.Context(), newSession(user.ID, 0)); err != nil {
				wantErr(t, "PutSession", err, authcore.ErrUserInactive)
			}
		}
	})
	wantSessions(t, store, user.ID, start)
}
