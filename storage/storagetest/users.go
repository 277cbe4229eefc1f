package storagetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func userChecks() []check {
	return []check{
		{"Lookups", lookups},
		{"UnverifiedAddressIsNeverFound", unverified},
		{"TextsReturnUnchanged", texts},
		{"IdentityKeysAreExact", identityKeys},
		{"MarkSeen", markSeen},
	}
}

// lookups finds an account in each way, and not under keys that are similar.
func lookups(t *testing.T, store authcore.Store) {
	account := fullAccount()
	account.User.Email = "Ada.L+tag@example.com" // the key is in lower case
	account = signUp(t, store, account)
	signUpNamed(t, store, "grace")
	if s := account.Sessions; len(s) != 3 || !s[0].Created.After(s[1].Created) || s[0].UserID != account.User.ID {
		t.Errorf("sessions %s, want 3 of the user, newest first", plain(s))
	}
	refs := []authcore.UserRef{byID(account.User.ID), byEmail("ada.l+tag@example.com")}
	for i, identity := range account.Identities {
		if !identity.Created.Equal(at(time.Duration(i)*time.Minute)) || identity.UserID != account.User.ID {
			t.Errorf("identity %d is %s, want those of the user, oldest first", i, plain(identity))
		}
		refs = append(refs, byIdentity(identity))
	}
	for _, ref := range refs {
		user, err := store.User(t.Context(), ref)
		wantErr(t, "User", err, nil)
		wantSame(t, "User", user, account.User)
		got, err := store.Account(t.Context(), ref, start)
		wantErr(t, "Account", err, nil)
		wantSame(t, "Account", got, account)
	}
	pending, active := account.Identities[0], account.Identities[1]
	pending.State, active.State = authcore.IdentityPending, authcore.IdentityActive
	for _, ref := range []authcore.UserRef{
		byID(uuid()), byEmail("ada.l+tag@example.org"), byEmail("Ada.L+tag@example.com"), byEmail("a"), byEmail("ada.l@example.com"),
		byIdentity(newIdentity("ADA")), byIdentity(pending), byIdentity(active), byID("ada@example.com"), byEmail(account.User.ID),
	} {
		wantNoUser(t, store, ref)
		wantErr(t, "Account of an unknown reference", drop(store.Account(t.Context(), ref, start)), authcore.ErrNotFound)
	}
	// An identity and sessions that have expired are left out.
	account.Identities = slices.Delete(account.Identities, 1, 2)
	wantAccount(t, store, at(day), account)
	account.Sessions = nil
	wantAccount(t, store, at(30*day), account)
}

// unverified: an attacker may register any address before its owner does.
func unverified(t *testing.T, store authcore.Store) {
	for range 2 { // it is not unique either
		account := authcore.Account{User: newUser("ada@example.com")}
		account.User.EmailVerified = false
		account = signUp(t, store, account)
		wantUser(t, store, byID(account.User.ID), account.User.ID)
		wantNoUser(t, store, byEmail("ada@example.com"))
	}
	owner := signUpNamed(t, store, "ada")
	wantUser(t, store, byEmail("ada@example.com"), owner.User.ID)
}

// texts stores what users and providers may send.
func texts(t *testing.T, store authcore.Store) {
	for i, text := range []string{
		"日本語 😀 é e\u0301", `"quoted" 'single' \backslash\ $1 %s ?`, "a\nb\tc\r\x01\x7f", "<b>&amp;</b>\u2028",
		"null", "{}", " spaces ", strings.Repeat("x", 4096), "\U0010ffff\ufffd",
	} {
		account := newAccount(strings.Repeat("u", i+1))
		account.User.FirstName, account.User.LastName, account.User.Nickname = text, text, text
		account.User.AvatarURL, account.User.Roles = text, []string{text}
		account.Sessions[0].UserAgent, account.Sessions[0].Client, account.Sessions[0].IP = text, text, text
		account.Identities[0].Email, account.Identities[0].Subject = text, text[:min(len(text), 1024)]
		account.User.Created, account.Sessions[0].Expires = time.Unix(0, 0), farAway
		wantAccount(t, store, start, signUp(t, store, account))
		wantUser(t, store, byIdentity(account.Identities[0]), account.User.ID)
	}
}

// identityKeys stores identities whose keys are equal if a separator is wrong or a
// part is cut.
func identityKeys(t *testing.T, store authcore.Store) {
	const most = 1024
	long := strings.Repeat("ä", most/2)
	keys := []string{
		"a b c", "a  bc", "a bc ", "ab  c", "a b| c", "a b |c", "a b: c", "a b :c", "a b/ c", "a b /c", "a b\x01 c", "a b \x01c",
		"a b C", "a b\u00a0 c", "a b \u00a0c", "a b\t c", "a b \tc", "a 1 1", "a 11 ", "p " + long + " " + long,
		"p " + long + " " + long[2:] + "xx", "p " + long[2:] + "xx " + long, strings.Repeat("p", 64) + " " + long + " " + long,
	}
	var accounts []authcore.Account
	for _, key := range keys {
		for _, state := range []authcore.IdentityState{authcore.IdentityActive, authcore.IdentityPending} {
			parts := strings.Split(key, " ")
			identity := newIdentity(parts[2])
			identity.Provider, identity.Issuer, identity.State = parts[0], parts[1], state
			accounts = append(accounts, signUp(t, store, authcore.Account{User: newUser(""), Identities: []authcore.Identity{identity}}))
		}
	}
	for _, account := range accounts {
		wantUser(t, store, byIdentity(account.Identities[0]), account.User.ID)
	}
}

func markSeen(t *testing.T, store authcore.Store) {
	account := signUpNamed(t, store, "ada")
	other := signUpNamed(t, store, "grace")
	session := &account.Sessions[0]
	ref := authcore.SessionRef{UserID: account.User.ID, ID: session.ID}
	mark := func(seen map[authcore.SessionRef]time.Time) {
		t.Helper()
		wantErr(t, "MarkSeen", store.MarkSeen(t.Context(), seen), nil)
		wantAccount(t, store, start, account)
	}
	mark(nil)
	session.LastSeen = at(time.Hour)
	mark(map[authcore.SessionRef]time.Time{ref: at(time.Hour)})
	mark(map[authcore.SessionRef]time.Time{ref: at(time.Minute)}) // never back
	session.LastSeen = at(2 * time.Hour)
	mark(map[authcore.SessionRef]time.Time{
		ref:                          at(2 * time.Hour),
		{UserID: uuid(), ID: uuid()}: at(time.Hour),
		{UserID: account.User.ID, ID: other.Sessions[0].ID}: at(time.Hour), // of another user
	})
	wantAccount(t, store, start, other)
}
