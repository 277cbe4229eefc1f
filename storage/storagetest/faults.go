package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxPoints limits the points of a login at which an engine can fail.
const maxPoints = 200

// RunLoginFaults fails a login at every point. Arm makes the engine fail at its
// n-th operation from now on, counted from zero: a statement, a command, a page
// write. Disarm ends that. The check ends at the first n at which nothing failed. A
// login that failed has happened completely, or has left the proof usable.
func RunLoginFaults(t *testing.T, store authcore.Store, arm func(n int) (disarm func())) {
	t.Helper()
	for n := range maxPoints {
		name := fmt.Sprint("fault", n)
		proof, sibling, claim := newRecord("proof"+name, name), newRecord("sibling"+name, name), newRecord("claim"+name, "")
		put(t, store, proof, sibling)
		before, account := exported(t, store, start), newAccount(name)
		account.Revocations = []authcore.Revocation{revokeUser(account.User.ID)}
		step := authcore.LoginStep{
			Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim},
			Refs: []authcore.UserRef{byEmail(account.User.EmailKey())}, Decide: storing(account),
		}
		disarm := arm(n)
		failed := drop(store.Login(t.Context(), step))
		disarm()
		if failed != nil {
			wantErr(t, "Login", failed, authcore.ErrUnavailable)
		}
		if err := drop(store.User(t.Context(), byID(account.User.ID))); err != nil { // it has not happened
			wantItems(t, store, start, before)
			wantErr(t, "Login again", drop(store.Login(t.Context(), step)), nil)
		}
		account.Revocations = nil
		wantAccount(t, store, start, account)
		wantRecordsOf(t, store, "link", name)
		wantRecord(t, store, claim)
		wantRevoked(t, store, "", revokeUser(account.User.ID))
		if t.Failed() {
			t.Fatalf("failed at point %d", n)
		}
		if failed == nil {
			if n == 0 {
				t.Error("no login failed: the fault was not reached")
			}
			return
		}
	}
	t.Errorf("a login has more than %d points of failure", maxPoints)
}

// Frozen checks a store that [Furnish] has filled and whose engine hangs: a caller
// that cancels its call gets an error immediately, and all calls end within the
// bound with ErrUnavailable.
func Frozen(t *testing.T, store authcore.Store, bound time.Duration) {
	t.Helper()
	cancelled, cancel := context.WithCancel(t.Context())
	defer cancel()
	bounded, release := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer release()
	for _, ctx := range []context.Context{cancelled, bounded} {
		ended := make(chan error, 1)
		go func() { ended <- drop(store.User(ctx, byID(StepID("user")))) }()
		cancel()
		if err := receive(t, ended); !errors.Is(err, ctx.Err()) || !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("User after its context ended: error %v, want %v", err, ctx.Err())
		}
	}
	begin := time.Now()
	errs := make(chan error)
	steps := Steps(store)
	for name, step := range steps {
		go func() {
			err := step(t.Context())
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				errs <- fmt.Errorf("%s: error %w, want %w", name, err, authcore.ErrUnavailable)
				return
			}
			errs <- nil
		}()
	}
	for range steps {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begin); took > bound {
		t.Errorf("the calls took %s, want at most %s", took, bound)
	}
}
