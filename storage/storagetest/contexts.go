package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func contextChecks() []check {
	return []check{
		{"Canceled", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			endedContext(t, store, ctx)
		}},
		{"DeadlineExceeded", func(t *testing.T, store authcore.Store) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
			defer cancel()
			endedContext(t, store, ctx)
		}},
		{"OtherCallsProceed", func(t *testing.T, store authcore.Store) {
			account := signUpNamed(t, store, "ada")
			together(crowd, func(i int) {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					cancel()
				}
				defer cancel()
				_, err := store.UpdateAccount(ctx, account.User.ID, start, func(a *authcore.Account) error {
					a.User.FirstName += "x"
					return nil
				})
				if i%2 == 1 {
					wantErr(t, "UpdateAccount among cancelled ones", err, nil)
				}
			})
			got, err := store.User(t.Context(), byID(account.User.ID))
			if want := len("Ada") + crowd/2; err != nil || len(got.FirstName) != want {
				t.Errorf("User = %s, error %v, want %d updates", plain(got), err, crowd/2)
			}
		}},
	}
}

// endedContext calls every method with a context that has ended, and then with one
// that has not: nothing of the first calls happened.
func endedContext(t *testing.T, store authcore.Store, ctx context.Context) { //nolint:revive // it is the subject
	Furnish(t, store)
	steps := Steps(store)
	for name, step := range steps {
		err := step(ctx)
		wantErr(t, name+" with an ended context", err, authcore.ErrUnavailable)
		wantErr(t, name+" with an ended context", err, ctx.Err())
	}
	for name, step := range steps {
		wantErr(t, name, step(t.Context()), nil)
	}
}
