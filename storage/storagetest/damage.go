package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// damageChecks damage one stored item each. Methods that return several items skip
// it, Sweep continues, and its user can be disabled and deleted.
func damageChecks(config Config) []check {
	account := newAccount("ada")
	account.Identities = append(account.Identities, newIdentity("second"))
	account.Sessions = append(account.Sessions, newSession(time.Minute), newSession(-30*day))
	account.Revocations = []authcore.Revocation{revokeUser("damaged"), revokeUser("intact")}
	for i := range account.Identities {
		account.Identities[i].UserID = account.User.ID
	}
	for i := range account.Sessions {
		account.Sessions[i].UserID = account.User.ID
	}
	record, expired := newRecord("damaged", account.User.ID), newRecord("expired and damaged", account.User.ID)
	expired.Expires = at(-time.Hour)
	var checks []check
	for name, item := range map[string]authcore.Item{
		"Session":        {Session: &account.Sessions[0]},
		"ExpiredSession": {Session: &account.Sessions[2]},
		"Identity":       {Identity: &account.Identities[0]},
		"Record":         {Record: &record},
		"ExpiredRecord":  {Record: &expired},
		"Revocation":     {Revocation: &account.Revocations[0]},
		"User":           {User: &account.User},
	} {
		checks = append(checks, check{name, func(t *testing.T, store authcore.Store) {
			if config.Damage == nil {
				t.Skip("the engine has no hook Damage")
			}
			signUp(t, store, account.Clone())
			put(t, store, record, expired, newRecord("intact", account.User.ID))
			if !config.Damage(t, store, item) {
				t.Skip("the format of the engine permits no such damage")
			}
			damaged(t, config, store, account.User.ID, item)
		}})
	}
	return checks
}

func damaged(t *testing.T, config Config, store authcore.Store, id string, item authcore.Item) {
	expired := newRecord("expired", "")
	expired.Expires = at(-time.Hour)
	put(t, store, expired)
	swept, err := store.Sweep(t.Context(), start)
	if err != nil || swept.Damaged == 0 && !config.SweepsBlindly && (item.Session != nil || item.Record != nil) {
		t.Errorf("Sweep = %+v, error %v, want a damaged item", swept, err)
	}
	err = drop(store.Record(t.Context(), expired.RecordKey, at(-2*time.Hour)))
	wantErr(t, "Record that was swept", err, authcore.ErrNotFound)

	// Of the live items at most the damaged one is missing.
	missing := func(damaged bool, all int) int {
		if damaged {
			return all - 1
		}
		return all
	}
	live := start.Before
	sessions := missing(item.Session != nil && live(item.Session.Expires), 2)
	identities := missing(item.Identity != nil, 2)
	records, err := recordsOf(t, store, "link", id, start)
	if want := missing(item.Record != nil && live(item.Record.Expires), 2); err != nil || len(records) != want {
		t.Errorf("ListRecords = %s, error %v, want %d", plain(records), err, want)
	}
	wantRevoked(t, store, "", revokeUser("intact"))
	items := exported(t, store, start)
	if item.User == nil && len(items) < 8 { // 1 user, 2 identities, 2 sessions, 2 records, 2 revocations
		t.Errorf("Export = %d items, want all but the damaged one", len(items))
	}
	other := signUpNamed(t, store, "other")
	if users, want := list(t, store, authcore.UserFilter{}, ""), missing(item.User != nil, 2); len(users) != want {
		t.Errorf("Users = %q, want %d with %s", users, want, other.User.ID)
	}
	if item.User != nil {
		damagedUser(t, store, id)
		sessions = 0
	}
	account, err := store.Account(t.Context(), byID(id), start)
	if err != nil || len(account.Sessions) != sessions || len(account.Identities) != identities {
		t.Errorf("Account = %s, error %v, want %d sessions and %d identities", plain(account), err, sessions, identities)
	}
	disable(t, store, id, at(14*day))
	wantRevoked(t, store, "", revokeUser(id))
	update(t, store, id, (*authcore.Account).Enable)
	err = raceLogin(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byEmail("ada@example.com")}})
	wantErr(t, "Login of a user with a damaged item", err, nil)
	wantSessions(t, store, id, 1)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
	wantRevoked(t, store, "", revokeUser(id))
	wantNoUser(t, store, byID(id))
	wantNoUser(t, store, byEmail("ada@example.com"))
}

// damagedUser disables a user that cannot be decoded. No other change of it succeeds.
func damagedUser(t *testing.T, store authcore.Store, id string) {
	for name, change := range map[string]func(*authcore.Account) error{
		"renames":               func(a *authcore.Account) error { a.User.Nickname = "Ada"; return nil },
		"refuses":               func(*authcore.Account) error { return errRefused },
		"disables, but refuses": func(a *authcore.Account) error { a.User.Disabled = true; return errRefused },
	} {
		err := drop(store.UpdateAccount(t.Context(), id, start, change))
		wantErr(t, "UpdateAccount of a damaged user that "+name, err, authcore.ErrUnavailable)
		wantErr(t, "UpdateAccount of a damaged user that "+name, err, authcore.ErrDamaged)
	}
	wantErr(t, "User that is damaged", drop(store.User(t.Context(), byID(id))), authcore.ErrDamaged)
	disable(t, store, id, at(14*day))
	wantRevoked(t, store, "", revokeUser(id))
	account, err := store.Account(t.Context(), byID(id), start)
	if err != nil || !account.User.Disabled || account.User.ID != id || len(account.Sessions) > 0 || len(account.Identities) != 2 {
		t.Errorf("Account = %s, error %v, want a disabled user with its identities", plain(account), err)
	}
	err = drop(store.Login(t.Context(), authcore.LoginStep{
		Now: start, Refs: []authcore.UserRef{byEmail("ada@example.com")},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if !found.Accounts[0].User.Disabled {
				t.Errorf("Login found %s, want the disabled user", plain(found.Accounts[0]))
			}
			return authcore.Account{}, errRefused
		},
	}))
	wantErr(t, "Login of a disabled user", err, errRefused)
}
