package storagetest

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// lastMethod: identities and passkeys are removed concurrently, each by a step that refuses
// to remove the last one. One is left.
func lastMethod(t *testing.T, store authcore.Store) {
	for range few {
		user := newUser("")
		user.Passkeys = []string{"first", "second"}
		known := signUp(t, store, authcore.Account{User: user, Identities: []authcore.Identity{newIdentity(uuid()), newIdentity(uuid())}})
		var removed atomic.Int64
		together(4, func(i int) {
			err := drop(store.UpdateAccount(t.Context(), known.User.ID, start, func(a *authcore.Account) error {
				if len(a.Identities)+len(a.User.Passkeys) == 1 {
					return errRefused
				}
				if i < 2 {
					a.User.Passkeys = slices.DeleteFunc(a.User.Passkeys, func(key string) bool { return key == user.Passkeys[i] })
				} else {
					a.Identities = slices.DeleteFunc(a.Identities, func(one authcore.Identity) bool { return one.PublicID == known.Identities[i-2].PublicID })
				}
				return nil
			}))
			if err == nil {
				removed.Add(1)
			} else {
				wantErr(t, "UpdateAccount that removes the last one", err, errRefused)
			}
		})
		left, err := store.Account(t.Context(), byID(known.User.ID), start)
		if err != nil || removed.Load() != 3 || len(left.Identities)+len(left.User.Passkeys) != 1 {
			t.Fatalf("%d of 4 removals left %d identities and %d passkeys, error %v, want 3 and one of both",
				removed.Load(), len(left.Identities), len(left.User.Passkeys), err)
		}
	}
}

// boundedList: steps add a record and its key to the list of the user, up to a limit.
func boundedList(t *testing.T, store authcore.Store) {
	const limit = 5
	user := newUser("ada@example.com")
	user.Passkeys = nil
	known := signUp(t, store, authcore.Account{User: user})
	together(few, func(int) {
		record := newRecord(uuid(), known.User.ID)
		err := drop(store.Login(t.Context(), authcore.LoginStep{
			Now: start, Claims: []authcore.Record{record}, Refs: []authcore.UserRef{byID(known.User.ID)},
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				a := found.Accounts[0]
				if len(a.User.Passkeys) >= limit {
					return a, errRefused
				}
				a.User.Passkeys = append(a.User.Passkeys, record.Key)
				return a, nil
			},
		}))
		if err != nil {
			wantErr(t, "Login of one too many", err, errRefused)
		}
	})
	got, err := store.User(t.Context(), byID(known.User.ID))
	if err != nil || len(got.Passkeys) != limit {
		t.Fatalf("User = %d keys, error %v, want %d", len(got.Passkeys), err, limit)
	}
	records, _, err := store.ListRecords(t.Context(), authcore.RecordFilter{Kind: newRecord("", "").Kind, Owner: known.User.ID}, start, "")
	if err != nil || len(records) != limit {
		t.Errorf("ListRecords = %d records, error %v, want %d", len(records), err, limit)
	}
}
