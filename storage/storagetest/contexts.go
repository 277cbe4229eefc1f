package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// contextChecks call every method with contexts that have ended, and then with one
// that has not: nothing of the first calls happened.
func contextChecks() []check {
	return []check{{"Ended", func(t *testing.T, store authcore.Store) {
		Furnish(t, store)
		steps := Steps(store)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, release := context.WithDeadline(t.Context(), time.Unix(1, 0))
		defer release()
		for name, step := range steps {
			for _, ctx := range []context.Context{cancelled, late} {
				err := step(ctx)
				wantErr(t, name+" with an ended context", err, authcore.ErrUnavailable)
				wantErr(t, name+" with an ended context", err, ctx.Err())
			}
		}
		for name, step := range steps {
			wantErr(t, name, step(t.Context()), nil)
		}
	}}}
}

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
				wantErr(t, name+" with a callback that panics", recovered(call), authcore.ErrUnavailable)
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
