package storagetest

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// copyChecks change what was passed to the store and what was returned; neither
// has an effect on the stored values.
func copyChecks() []check {
	return []check{
		{"Accounts", func(t *testing.T, store authcore.Store) {
			given := newAccount("ada")
			want := given.Clone()
			var kept *authcore.Account
			for name, call := range map[string]func() (authcore.Account, error){
				"Account": func() (authcore.Account, error) { return store.Account(t.Context(), byID(want.User.ID), start) },
				"Login": func() (authcore.Account, error) {
					defer spoilAccount(&given)
					return store.Login(t.Context(), authcore.LoginStep{
						Now: start, Refs: []authcore.UserRef{byID(want.User.ID)},
						Decide: func(authcore.LoginFound) (authcore.Account, error) { return given, nil },
					})
				},
				"UpdateAccount": func() (authcore.Account, error) {
					defer func() { spoilAccount(kept) }()
					return store.UpdateAccount(t.Context(), want.User.ID, start, func(a *authcore.Account) error {
						a.User.FirstName, kept = "Grace", a
						want.User.FirstName = "Grace"
						return nil
					})
				},
				"UpdateAccount that fails": func() (authcore.Account, error) {
					err := drop(store.UpdateAccount(t.Context(), want.User.ID, start, func(a *authcore.Account) error {
						spoilAccount(a)
						return errRefused
					}))
					wantErr(t, "UpdateAccount", err, errRefused)
					return authcore.Account{}, nil
				},
			} {
				given = want.Clone()
				if name != "Login" {
					login(t, store, authcore.LoginStep{Refs: []authcore.UserRef{byID(want.User.ID)}, Decide: storing(want)})
				}
				got, err := call()
				wantErr(t, name, err, nil)
				wantAccount(t, store, start, want)
				spoilAccount(&got)
				wantAccount(t, store, start, want)
			}
		}},
		{"Records", func(t *testing.T, store authcore.Store) {
			given, want := newRecord("key", "ada"), newRecord("key", "ada")
			put(t, store, given)
			clear(given.Data)
			wantRecord(t, store, want)
			got, err := store.Record(t.Context(), want.RecordKey, start)
			wantErr(t, "Record", err, nil)
			listed, err := recordsOf(t, store, "link", "ada", start)
			wantErr(t, "ListRecords", err, nil)
			for _, record := range append(listed, got) {
				clear(record.Data)
			}
			err = drop(store.UpdateRecord(t.Context(), want.RecordKey, start, func(r *authcore.Record) error {
				clear(r.Data)
				return errRefused
			}))
			wantErr(t, "UpdateRecord", err, errRefused)
			wantRecord(t, store, want)
		}},
		{"Keys", func(t *testing.T, store authcore.Store) {
			spoil := func(keys []authcore.SigningKey) {
				for i := range keys {
					clear(keys[i].Private)
					keys[i].ID = "changed"
				}
			}
			given, want := []authcore.SigningKey{newKey("a")}, []authcore.SigningKey{newKey("a")}
			got, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) { return given, nil })
			wantErr(t, "UpdateKeys", err, nil)
			spoil(given)
			wantSame(t, "returned keys, the given ones changed", got, want)
			spoil(got)
			err = drop(store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
				wantSame(t, "stored keys, the returned ones changed", keys, want)
				spoil(keys)
				return nil, errRefused
			}))
			wantRefused(t, "UpdateKeys", err)
			updateKeys(t, store, want, want)
		}},
	}
}

// spoilAccount overwrites everything that an account refers to.
func spoilAccount(a *authcore.Account) {
	a.User.ID, a.User.FirstName = "changed", "changed"
	clear(a.User.Roles)
	clear(a.User.Granted)
	clear(a.User.Factors)
	clear(a.User.Passkeys)
	for i := range a.Identities {
		clear(a.Identities[i].Roles)
	}
	for i := range a.Sessions {
		clear(a.Sessions[i].Superseded)
	}
	clear(a.Identities)
	clear(a.Sessions)
}
