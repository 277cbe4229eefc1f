package kv

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// A damaged user cannot be read, but it can be deleted, and then its address is
// free again. Errors quote nothing that is stored (CWE-209).
func TestDamagedUser(t *testing.T) {
	store, engine := newTestStore()
	account := newAccount("ada", 1)
	signUp(t, store, account)
	engine.entries[string(accountPrefix("ada"))] = []byte(`{"id":7,"email":"secret"}`)
	_, userErr := store.User(t.Context(), authcore.UserRef{EmailKey: "ada@example.com"})
	_, accountErr := store.Account(t.Context(), authcore.UserRef{Identity: account.Identities[0].Key()}, origin)
	_, updateErr := store.UpdateAccount(t.Context(), "ada", origin, func(*authcore.Account) error { return nil })
	for name, err := range map[string]error{"User": userErr, "Account": accountErr, "UpdateAccount": updateErr} {
		wantErr(t, name, err, authcore.ErrUnavailable)
		if errors.Is(err, authcore.ErrNotFound) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s = %v, want an error without stored text", name, err)
		}
	}
	if users, _, err := store.Users(t.Context(), authcore.UserFilter{}, ""); err != nil || len(users) != 0 {
		t.Errorf("Users = %v, error %v, want none", users, err)
	}
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), "ada", revokeUser("ada")), nil)
	signUp(t, store, func() authcore.Account {
		again := newAccount("grace", 1)
		again.User.Email, again.Identities[0].Subject = account.User.Email, "ada"
		return again
	}())
	users, _, err := store.Users(t.Context(), authcore.UserFilter{Domain: "example.com"}, "")
	if err != nil || len(users) != 1 {
		t.Errorf("Users of the domain = %v, error %v, want the new one", users, err)
	}
}

// An identity that is damaged at its own user is replaced by linking it again; at
// another user nothing is known about it, and it stays there.
func TestDamagedIdentityIsLinkedAgain(t *testing.T) {
	store, engine := newTestStore()
	account := newAccount("ada", 0)
	signUp(t, store, account)
	signUp(t, store, newAccount("grace", 0))
	text, _ := identityText(account.Identities[0].Key())
	engine.damage(t, identityKey("ada", text))
	link := func(userID string) error {
		_, err := store.UpdateAccount(t.Context(), userID, origin, func(a *authcore.Account) error {
			a.Identities = append(a.Identities, account.Identities[0])
			return nil
		})
		return err
	}
	wantErr(t, "linking an identity that is damaged at another user", link("grace"), authcore.ErrUnavailable)
	wantErr(t, "linking a damaged identity again", link("ada"), nil)
	user, err := store.User(t.Context(), authcore.UserRef{Identity: account.Identities[0].Key()})
	if err != nil || user.ID != "ada" {
		t.Errorf("User = %q, error %v, want ada", user.ID, err)
	}
}

// A record that replaced a damaged one of another owner survives the deletion of
// that owner.
func TestReplacedRecordStays(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 0))
	putRecord(t, store, "key", "ada", time.Hour)
	engine.damage(t, recordKey(authcore.RecordKey{Kind: "link", Key: "key"}))
	putRecord(t, store, "key", "grace", time.Hour)
	records, err := authcore.AllRecords(t.Context(), store, authcore.RecordFilter{Kind: "link", Owner: "ada"}, origin)
	if err != nil || len(records) != 0 {
		t.Errorf("ListRecords the former owner = %v, error %v, want none", records, err)
	}
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), "ada", revokeUser("ada")), nil)
	wantEntries(t, engine, recordTable, 1)
	wantEntries(t, engine, ownerTable, 1)
}

// A cursor that this feed did not return must not hide revocations.
func TestForeignCursors(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 0))
	_, err := store.UpdateAccount(t.Context(), "ada", origin, func(a *authcore.Account) error {
		a.Disable(origin.Add(time.Hour))
		return nil
	})
	wantErr(t, "UpdateAccount", err, nil)
	for _, cursor := range []string{"", "0", "2", "18446744073709551615", "-1", "x", "1x", strings.Repeat("9", 99)} {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil || len(entries) != 1 || next != "1" {
			t.Errorf("RevocationsSince(%q) = %v, next %q, error %v, want one and 1", cursor, entries, next, err)
		}
	}
	engine.damage(t, feedKey(1))
	signUp(t, store, authcore.Account{User: authcore.User{ID: "x"}, Revocations: []authcore.Revocation{revokeUser("x"), revokeUser("ada")}})
	entries, next, err := store.RevocationsSince(t.Context(), "")
	if err != nil || len(entries) != 2 || next != "3" {
		t.Errorf("RevocationsSince after damage = %v, next %q, error %v, want two and 3", entries, next, err)
	}
	for _, cursor := range []string{"x", "!", "AAAA", strings.Repeat("x", 999)} {
		if items, _, err := store.Export(t.Context(), cursor, origin); err != nil || len(items) == 0 {
			t.Errorf("Export(%q) = %d items, error %v, want items", cursor, len(items), err)
		}
	}
}

// IDs, subjects and keys with NUL would be parts of other keys (CWE-74).
func TestPartsWithNUL(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 1))
	before := len(engine.entries)
	hostile := "ada\x00ssession000000"
	identity := authcore.IdentityKey{Provider: "github\x00", Subject: "ada"}
	_, userErr := store.User(t.Context(), authcore.UserRef{ID: hostile})
	_, accountErr := store.Account(t.Context(), authcore.UserRef{ID: hostile}, origin)
	_, identityErr := store.User(t.Context(), authcore.UserRef{Identity: identity})
	for name, err := range map[string]error{
		"User": userErr, "Account": accountErr, "User by identity": identityErr,
		"DeleteUser": store.DeleteUser(t.Context(), hostile, revokeUser("x")),
	} {
		wantErr(t, name+" with NUL", err, authcore.ErrNotFound)
	}
	for name, change := range map[string]func(*authcore.Account){
		"user":     func(a *authcore.Account) { a.User.ID = hostile },
		"identity": func(a *authcore.Account) { a.Identities[0].Issuer = "\x00" },
		"session":  func(a *authcore.Account) { a.Sessions[0].ID = "\x00" },
		"no ID":    func(a *authcore.Account) { a.User.ID = "" },
	} {
		account := newAccount("grace", 1)
		change(&account)
		_, err := store.Login(t.Context(), authcore.LoginStep{
			Now: origin, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
		})
		wantErr(t, "Login with NUL in the "+name, err, authcore.ErrUnavailable)
	}
	err := store.MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{{UserID: "ada\x00s", ID: "x"}: origin})
	if err != nil || len(engine.entries) != before {
		t.Errorf("%d entries, error %v, want %d as before", len(engine.entries), err, before)
	}
}

// Keys keep the order of times, those before 1970 and far away included.
func TestKeysKeepTheOrderOfTimes(t *testing.T) {
	times := []time.Time{
		{}, time.Unix(-1, 0), time.Unix(0, 0), time.Unix(1, 0), origin, time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for i, earlier := range times[:len(times)-1] {
		later := times[i+1]
		if bytes.Compare(expiryKey(earlier, []byte("r")), expiryKey(later, []byte("a"))) >= 0 {
			t.Errorf("expiryKey(%v) is not before expiryKey(%v)", earlier, later)
		}
		newest, oldest := authcore.Record{Created: later.Add(1)}, authcore.Record{Created: later}
		if bytes.Compare(ownerKey(newest), ownerKey(oldest)) >= 0 || bytes.Compare(ownerKey(oldest), ownerKey(authcore.Record{Created: earlier})) >= 0 {
			t.Errorf("ownerKey does not place %v before %v and %v", newest.Created, oldest.Created, earlier)
		}
	}
}

// Two identities never share a key, and an entry of the index of owners yields the
// record that it was made for.
func FuzzKeys(f *testing.F) {
	f.Add("github", "", "1", "github", "1", "", true)
	f.Add("a", "b", "c", "ab", "", "c", false)
	f.Add("", "\x00", "a", "", "", "\x00a", false)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g string, pending bool) {
		one, other := authcore.IdentityKey{Provider: a, Issuer: b, Subject: c}, authcore.IdentityKey{Provider: d, Issuer: e, Subject: g, Pending: pending}
		text, valid := identityText(one)
		otherText, otherValid := identityText(other)
		if valid && otherValid && (text == otherText) != (one == other) {
			t.Errorf("identityText(%+v) and identityText(%+v) = %q and %q", one, other, text, otherText)
		}
		record := authcore.Record{RecordKey: authcore.RecordKey{Kind: "kind", Key: a}, Owner: d, Created: time.Unix(int64(len(b)), int64(len(c)))}
		if err := record.Validate(); err != nil {
			return
		}
		if key, _, valid := parseOwnerKey(ownerKey(record)); !valid || key != record.RecordKey {
			t.Errorf("parseOwnerKey(ownerKey(%+v)) = %+v, %v, want its key", record, key, valid)
		}
	})
}
