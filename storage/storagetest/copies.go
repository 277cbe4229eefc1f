package storagetest

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// copyChecks change what was passed to the store and what was returned; neither
// has an effect on the stored values.
func copyChecks() []check {
	return []check{
		{"Keys", copiedKeys},
		{"Accounts", func(t *testing.T, store authcore.Store) {
			given := newAccount("ada")
			want := given.Clone()
			returned, err := store.Login(t.Context(), authcore.LoginStep{
				Now: start, Decide: func(authcore.LoginFound) (authcore.Account, error) { return given, nil },
			})
			wantErr(t, "Login", err, nil)
			spoilAccount(&given)
			wantAccount(t, store, start, want)
			spoilAccount(&returned)
			wantAccount(t, store, start, want)
			read, err := store.Account(t.Context(), byID(want.User.ID), start)
			wantErr(t, "Account", err, nil)
			spoilAccount(&read)
			wantAccount(t, store, start, want)
			var kept *authcore.Account
			updated := update(t, store, want.User.ID, func(a *authcore.Account) { a.User.FirstName, kept = "Grace", a })
			want.User.FirstName = "Grace"
			spoilAccount(kept)
			spoilAccount(&updated)
			wantAccount(t, store, start, want)
			_, err = store.UpdateAccount(t.Context(), want.User.ID, start, func(a *authcore.Account) error {
				spoilAccount(a)
				return errRefused
			})
			wantErr(t, "UpdateAccount", err, errRefused)
			wantAccount(t, store, start, want)
		}},
		{"Records", func(t *testing.T, store authcore.Store) {
			given, want := newRecord("key", "ada"), newRecord("key", "ada")
			put(t, store, given)
			clear(given.Data)
			wantRecord(t, store, want)
			got, err := store.Record(t.Context(), want.RecordKey, start)
			wantErr(t, "Record", err, nil)
			clear(got.Data)
			listed, err := store.RecordsOf(t.Context(), "link", "ada", start)
			wantErr(t, "RecordsOf", err, nil)
			for i := range listed {
				clear(listed[i].Data)
			}
			_, err = store.UpdateRecord(t.Context(), want.RecordKey, start, func(r *authcore.Record) error {
				clear(r.Data)
				return errRefused
			})
			wantErr(t, "UpdateRecord", err, errRefused)
			wantRecord(t, store, want)
		}},
		{"Revocations", func(t *testing.T, store authcore.Store) {
			revoke(t, store, revokeUser("a"))
			got, _, err := store.RevocationsSince(t.Context(), "")
			wantErr(t, "RevocationsSince", err, nil)
			clear(got)
			wantFeed(t, store, "", revokeUser("a"))
		}},
		{"Items", func(t *testing.T, store authcore.Store) {
			key, record := newKey("a"), newRecord("key", "ada")
			wantImported(t, store, []authcore.Item{{Key: &key}, {Record: &record}}, 2)
			clear(key.Private)
			clear(record.Data)
			export(t, store, start, func(items []authcore.Item) {
				for _, item := range items {
					if item.Key != nil {
						clear(item.Key.Private)
					} else {
						clear(item.Record.Data)
					}
				}
			})
			updateKeys(t, store, []authcore.SigningKey{newKey("a")}, nil)
			wantRecord(t, store, newRecord("key", "ada"))
		}},
	}
}

// spoilAccount overwrites everything that an account refers to.
func spoilAccount(a *authcore.Account) {
	a.User.ID, a.User.FirstName = "changed", "changed"
	clear(a.User.Roles)
	for i := range a.Sessions {
		clear(a.Sessions[i].Superseded)
	}
	clear(a.Identities)
	clear(a.Sessions)
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
	got, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) { return given, nil })
	wantErr(t, "UpdateKeys", err, nil)
	spoil(given)
	wantSame(t, "returned keys, the given ones changed", got, want)
	spoil(got)
	_, err = store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		wantSame(t, "stored keys, the returned ones changed", keys, want)
		spoil(keys)
		return nil, errRefused
	})
	wantErr(t, "UpdateKeys", err, errRefused)
	updateKeys(t, store, want, want)
}
