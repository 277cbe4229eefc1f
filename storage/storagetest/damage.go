package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// damageChecks damage one stored item each and check that the methods which return
// several items skip it, and that its user can be disabled and deleted.
func damageChecks(config Config) []check {
	var checks []check
	for name, victim := range map[string]func(authcore.Account, authcore.Record) authcore.Item{
		"Session": func(a authcore.Account, _ authcore.Record) authcore.Item {
			return authcore.Item{Session: &a.Sessions[0]}
		},
		"Identity": func(a authcore.Account, _ authcore.Record) authcore.Item {
			return authcore.Item{Identity: &a.Identities[0]}
		},
		"Record": func(_ authcore.Account, r authcore.Record) authcore.Item { return authcore.Item{Record: &r} },
		"Revocation": func(authcore.Account, authcore.Record) authcore.Item {
			revocation := revokeUser("damaged")
			return authcore.Item{Revocation: &revocation}
		},
		"User": func(a authcore.Account, _ authcore.Record) authcore.Item { return authcore.Item{User: &a.User} },
	} {
		checks = append(checks, check{name, func(t *testing.T, store authcore.Store) {
			if config.Damage == nil {
				t.Skip("the engine has no hook Damage")
			}
			account := newAccount("ada")
			account.Identities = append(account.Identities, newIdentity("second"))
			account.Sessions = append(account.Sessions, newSession(time.Minute))
			account.Revocations = []authcore.Revocation{revokeUser("damaged"), revokeUser("intact")}
			account = signUp(t, store, account)
			record, intact := newRecord("damaged", account.User.ID), newRecord("intact", account.User.ID)
			put(t, store, record, intact)
			item := victim(account, record)
			if !config.Damage(t, store, item) {
				t.Skip("the format of the engine permits no such damage")
			}
			damaged(t, config, store, account, item)
		}})
	}
	return checks
}

func damaged(t *testing.T, config Config, store authcore.Store, account authcore.Account, item authcore.Item) {
	id := account.User.ID
	expired := newRecord("expired", "")
	expired.Expires = at(-time.Hour)
	put(t, store, expired)
	swept, err := store.Sweep(t.Context(), start)
	if err != nil || swept.Damaged == 0 && !config.SweepsBlindly && (item.Session != nil || item.Record != nil) {
		t.Errorf("Sweep = %+v, error %v, want a damaged item", swept, err)
	}
	_, err = store.Record(t.Context(), expired.RecordKey, at(-2*time.Hour))
	wantErr(t, "Record that was swept", err, authcore.ErrNotFound)

	keys := []string{"intact", "damaged"}
	if item.Record != nil {
		keys = keys[:1]
	}
	records, err := store.RecordsOf(t.Context(), "link", id, start)
	if err != nil || len(records) != len(keys) {
		t.Errorf("RecordsOf = %s, error %v, want %q", plain(records), err, keys)
	}
	feed, _ := feedSince(t, store, "")
	if _, found := feed[feedKey(authcore.RevokeUser, "intact")]; !found {
		t.Errorf("the feed lost the entry after the damaged one: %s", plain(feed))
	}
	exported := 0
	export(t, store, start, func(items []authcore.Item) { exported += len(items) })
	if item.User == nil && exported < 7 {
		t.Errorf("Export returned %d items, want all but the damaged one", exported)
	}
	other := signUpNamed(t, store, "other")
	users := list(t, store, authcore.UserFilter{}, "")
	if want := 2; item.User == nil && len(users) != want || len(users) == 0 {
		t.Errorf("Users = %q, want the intact ones, %s among them", users, other.User.ID)
	}
	if item.User != nil {
		return
	}
	disableDamaged(t, store, account, item)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
	wantRevoked(t, store, "", revokeUser(id))
	wantNoUser(t, store, byID(id))
	wantNoUser(t, store, byEmail("ada@example.com"))
}

// disableDamaged disables and enables a user with a damaged item.
func disableDamaged(t *testing.T, store authcore.Store, account authcore.Account, item authcore.Item) {
	t.Helper()
	id := account.User.ID
	got, err := store.Account(t.Context(), byID(id), start)
	sessions, identities := 2, 2
	if item.Session != nil {
		sessions = 1
	}
	if item.Identity != nil {
		identities = 1
	}
	if err != nil || len(got.Sessions) != sessions || len(got.Identities) != identities {
		t.Errorf("Account = %s, error %v, want %d sessions and %d identities", plain(got), err, sessions, identities)
	}
	disable(t, store, id, at(14*day))
	wantRevoked(t, store, "", revokeUser(id))
	update(t, store, id, (*authcore.Account).Enable)
	err = raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byEmail("ada@example.com")}})
	wantErr(t, "Login of a user with a damaged item", err, nil)
	wantSessions(t, store, id, 1)
}
