package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

var errChange = errors.New("storagetest: change refused")

func userChecks() []check {
	return []check{
		{"UnknownUserIsNotFound", func(t *testing.T, store authcore.Store) {
			_, err := store.User(t.Context(), uuid())
			wantErr(t, "User", err, authcore.ErrNotFound)
			_, err = store.UserByEmail(t.Context(), "ada@example.com")
			wantErr(t, "UserByEmail", err, authcore.ErrNotFound)
			_, err = store.UpdateUser(t.Context(), uuid(), func(*authcore.User) error { return nil })
			wantErr(t, "UpdateUser", err, authcore.ErrNotFound)
		}},
		{"EnsureUserStoresAllFields", func(t *testing.T, store authcore.Store) {
			want := newUser("Ada@example.com", true)
			got, created, err := store.EnsureUser(t.Context(), want)
			if err != nil || !created {
				t.Fatalf("EnsureUser: created %v, error %v", created, err)
			}
			wantSame(t, "returned", got, want)
			got, err = store.User(t.Context(), want.ID)
			wantErr(t, "User", err, nil)
			wantSame(t, "stored", got, want)
			got, err = store.UserByEmail(t.Context(), "ada@example.com")
			wantErr(t, "UserByEmail", err, nil)
			wantSame(t, "found by address", got, want)
		}},
		{"VerifiedAddressIsUniqueByKey", func(t *testing.T, store authcore.Store) {
			first := addUser(t, store, "Ada@example.com")
			got, created, err := store.EnsureUser(t.Context(), newUser("aDA@example.com", true))
			if err != nil || created {
				t.Fatalf("second spelling: created %v, error %v", created, err)
			}
			wantSame(t, "holder", got, first)
		}},
		{"UnverifiedAddressIsNeitherUniqueNorFound", unverifiedAddress},
		{"OneUserForManyCallers", ensureUserRace},
		{"UpdateUserStoresAndReturns", func(t *testing.T, store authcore.Store) {
			want := addUser(t, store, "ada@example.com")
			want.FirstName, want.LastName, want.Nickname, want.AvatarURL = "Grace", "Hopper", "", ""
			got, err := store.UpdateUser(t.Context(), want.ID, func(u *authcore.User) error {
				u.FirstName, u.LastName, u.Nickname, u.AvatarURL = "Grace", "Hopper", "", ""
				return nil
			})
			wantErr(t, "UpdateUser", err, nil)
			wantSame(t, "returned", got, want)
			got, err = store.User(t.Context(), want.ID)
			wantErr(t, "User", err, nil)
			wantSame(t, "stored", got, want)
		}},
		{"UpdateUserMovesTheAddress", moveAddress},
		{"UpdateUserRefusesATakenAddress", takenAddress},
		{"UpdateUserReturnsTheErrorOfChange", func(t *testing.T, store authcore.Store) {
			want := addUser(t, store, "ada@example.com")
			_, err := store.UpdateUser(t.Context(), want.ID, func(u *authcore.User) error {
				u.FirstName, u.Email = "Mallory", "mallory@example.com"
				return errChange
			})
			if err != errChange { //nolint:errorlint // unchanged means unwrapped
				t.Errorf("error %v, want the one of change itself", err)
			}
			got, err := store.UserByEmail(t.Context(), "ada@example.com")
			wantErr(t, "UserByEmail", err, nil)
			wantSame(t, "stored", got, want)
			_, err = store.UserByEmail(t.Context(), "mallory@example.com")
			wantErr(t, "address of the refused change", err, authcore.ErrNotFound)
		}},
		{"UpdateUserLosesNoUpdate", updateUserRace},
	}
}

func unverifiedAddress(t *testing.T, store authcore.Store) {
	for range 2 {
		_, created, err := store.EnsureUser(t.Context(), newUser("ada@example.com", false))
		if err != nil || !created {
			t.Fatalf("unverified: created %v, error %v", created, err)
		}
	}
	for range 2 {
		_, created, err := store.EnsureUser(t.Context(), newUser("", true))
		if err != nil || !created {
			t.Fatalf("without address: created %v, error %v", created, err)
		}
	}
	_, err := store.UserByEmail(t.Context(), "ada@example.com")
	wantErr(t, "UserByEmail", err, authcore.ErrNotFound)
	_, err = store.UserByEmail(t.Context(), "")
	wantErr(t, "UserByEmail of nothing", err, authcore.ErrNotFound)
	verified := addUser(t, store, "ada@example.com")
	got, err := store.UserByEmail(t.Context(), "ada@example.com")
	wantErr(t, "UserByEmail", err, nil)
	wantSame(t, "holder", got, verified)
}

func ensureUserRace(t *testing.T, store authcore.Store) {
	var mu sync.Mutex
	ids, made := make(map[string]bool), 0
	together(crowd, func(int) {
		user, created, err := store.EnsureUser(t.Context(), newUser("ada@example.com", true))
		wantErr(t, "EnsureUser", err, nil)
		mu.Lock()
		defer mu.Unlock()
		ids[user.ID] = true
		if created {
			made++
		}
	})
	if len(ids) != 1 || made != 1 {
		t.Errorf("%d callers got %d users, of which %d were reported as new; want one of each", crowd, len(ids), made)
	}
}

func moveAddress(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "old@example.com")
	set := func(email string, verified bool) {
		t.Helper()
		_, err := store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
			u.Email, u.EmailVerified = email, verified
			return nil
		})
		wantErr(t, "UpdateUser", err, nil)
	}
	find := func(email string, want error) {
		t.Helper()
		got, err := store.UserByEmail(t.Context(), email)
		wantErr(t, "UserByEmail "+email, err, want)
		if want == nil && got.ID != user.ID {
			t.Errorf("%s found user %s, want %s", email, got.ID, user.ID)
		}
	}
	set("new@example.com", true)
	find("old@example.com", authcore.ErrNotFound)
	find("new@example.com", nil)
	set("NEW@example.com", true) // another spelling of its own address
	find("new@example.com", nil)
	set("new@example.com", false)
	find("new@example.com", authcore.ErrNotFound)
	set("new@example.com", true)
	find("new@example.com", nil)

	other := addUser(t, store, "old@example.com") // free again
	if other.ID == user.ID {
		t.Error("the former address still leads to its former holder")
	}
}

func takenAddress(t *testing.T, store authcore.Store) {
	holder := addUser(t, store, "ada@example.com")
	user := addUser(t, store, "grace@example.com")
	_, err := store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
		u.Email, u.FirstName = "ADA@example.com", "Mallory"
		return nil
	})
	wantErr(t, "UpdateUser", err, authcore.ErrTaken)
	got, err := store.UserByEmail(t.Context(), "ada@example.com")
	wantErr(t, "UserByEmail", err, nil)
	wantSame(t, "holder", got, holder)
	got, err = store.UserByEmail(t.Context(), "grace@example.com")
	wantErr(t, "UserByEmail", err, nil)
	wantSame(t, "refused user", got, user)
	_, err = store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
		u.Email, u.EmailVerified = "ada@example.com", false
		return nil
	})
	wantErr(t, "UpdateUser to the same address, unverified", err, nil)
}

func updateUserRace(t *testing.T, store authcore.Store) {
	user := addUser(t, store, "ada@example.com")
	together(crowd, func(int) {
		_, err := store.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
			u.Nickname += "x"
			return nil
		})
		wantErr(t, "UpdateUser", err, nil)
	})
	got, err := store.User(t.Context(), user.ID)
	wantErr(t, "User", err, nil)
	if want := len(user.Nickname) + crowd; len(got.Nickname) != want {
		t.Errorf("%s of %d updates are there", fmt.Sprint(len(got.Nickname)-len(user.Nickname)), crowd)
	}
}
