package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func copyChecks() []check {
	return []check{
		{"Keys", copiedKeys},
		{"Sessions", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			want := addSession(t, store, user.ID, 0)
			got, err := store.SessionsOf(t.Context(), user.ID, start)
			wantErr(t, "SessionsOf", err, nil)
			if len(got) == 1 {
				got[0].TokenID, got[0].UserID = "changed", "changed"
			}
			got, err = store.SessionsOf(t.Context(), user.ID, start)
			wantErr(t, "SessionsOf", err, nil)
			wantSame(t, "sessions", got, []authcore.Session{want})
		}},
		{"Revocations", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			disable(t, store, user.ID, at(time.Hour))
			got, _, err := store.RevocationsSince(t.Context(), "")
			wantErr(t, "RevocationsSince", err, nil)
			for i := range got {
				got[i] = authcore.Revocation{}
			}
			wantRevoked(t, store, "", authcore.RevokeUser, user.ID, at(time.Hour))
		}},
		{"UserAfterChange", func(t *testing.T, store authcore.Store) {
			user := addUser(t, store, "ada@example.com")
			var kept *authcore.User
			_, err := store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
				u.FirstName, kept = "Grace", u
				return nil
			})
			wantErr(t, "UpdateUser", err, nil)
			kept.FirstName = "Mallory"
			got, err := store.User(t.Context(), user.ID)
			wantErr(t, "User", err, nil)
			if got.FirstName != "Grace" {
				t.Errorf("the stored user is %s", plain(got))
			}
		}},
	}
}

func copiedKeys(t *testing.T, store authcore.Store) {
	given := []authcore.SigningKey{newKey("a")}
	want := []authcore.SigningKey{newKey("a")}
	spoil := func(keys []authcore.SigningKey) {
		for i := range keys {
			clear(keys[i].Private)
			keys[i].ID = "changed"
		}
	}
	got, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
		return given, nil
	})
	wantErr(t, "UpdateKeys", err, nil)
	spoil(given)
	wantSame(t, "returned keys, the given ones changed", got, want)
	spoil(got)
	_, err = store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		wantSame(t, "stored keys, the returned ones changed", keys, want)
		spoil(keys)
		return nil, errChange
	})
	wantErr(t, "UpdateKeys", err, errChange)
	updateKeys(t, store, want, want)
}
