package storagetest

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// callbackChecks: a panic in a callback ends its own call; the store, its locks
// and its other callers are unaffected.
func callbackChecks() []check {
	return []check{{"Panic", func(t *testing.T, store authcore.Store) {
		account, record := signUpNamed(t, store, "ada"), newRecord("key", "ada")
		put(t, store, record)
		id := account.User.ID
		for range 3 {
			for name, call := range map[string]func() error{
				"Login": func() error {
					return drop(store.Login(t.Context(), authcore.LoginStep{
						Now: start, Proof: record.RecordKey, Refs: []authcore.UserRef{byID(id)},
						Claims: []authcore.Record{newRecord("claim", "")},
						Decide: func(found authcore.LoginFound) (authcore.Account, error) {
							found.Proof.Data[0] = '!'
							panic("in Decide")
						},
					}))
				},
				"UpdateAccount": func() error {
					return drop(store.UpdateAccount(t.Context(), id, start, func(a *authcore.Account) error {
						a.User.FirstName = "changed"
						panic("in change")
					}))
				},
				"UpdateRecord": func() error {
					return drop(store.UpdateRecord(t.Context(), record.RecordKey, start, func(r *authcore.Record) error {
						r.Data[0] = '!'
						panic("in change")
					}))
				},
				"UpdateKeys": func() error {
					return drop(store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
						panic("in change")
					}))
				},
			} {
				err := recovered(call)
				wantErr(t, name+" with a callback that panics", err, authcore.ErrUnavailable)
			}
		}
		wantAccount(t, store, start, account)
		wantRecord(t, store, record)
		wantNoRecord(t, store, authcore.RecordKey{Kind: "link", Key: "claim"})
		updateKeys(t, store, nil, []authcore.SigningKey{newKey("a")})
		login(t, store, authcore.LoginStep{Proof: record.RecordKey, Decide: storing(newAccount("grace"))})
	}}}
}

// recovered returns the error of a call, or nil if it panics.
func recovered(call func() error) (err error) {
	defer func() { _ = recover() }()
	return call()
}
