package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxPoints limits the points of a login at which an engine can fail.
const maxPoints = 200

// RunLoginFaults fails a login at every point. Arm makes the engine fail at its
// n-th operation from now on, counted from zero: a statement, a command, a page
// write. Disarm ends that. The check ends at the first n at which nothing failed.
//
// A login that failed has happened completely, or it left the proof usable and
// nothing else behind.
func RunLoginFaults(t *testing.T, store authcore.Store, arm func(n int) (disarm func())) {
	t.Helper()
	for n := range maxPoints {
		name := fmt.Sprint("fault", n)
		proof, sibling, claim := newRecord("proof"+name, name), newRecord("sibling"+name, name), newRecord("claim"+name, "")
		put(t, store, proof, sibling)
		account := newAccount(name)
		account.Revocations = []authcore.Revocation{revokeUser(account.User.ID)}
		step := authcore.LoginStep{
			Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim},
			Refs: []authcore.UserRef{byEmail(account.User.EmailKey())}, Decide: storing(account),
		}
		disarm := arm(n)
		_, failed := store.Login(t.Context(), step)
		disarm()
		if failed != nil && !errors.Is(failed, authcore.ErrUnavailable) {
			t.Errorf("point %d: Login = error %v, want %v", n, failed, authcore.ErrUnavailable)
		}
		_, err := store.User(t.Context(), byID(account.User.ID))
		if happened := err == nil; !happened {
			wantNoUser(t, store, byEmail(account.User.EmailKey()))
			wantNoUser(t, store, byIdentity(account.Identities[0]))
			wantRecord(t, store, proof)
			wantRecord(t, store, sibling)
			wantNoRecord(t, store, claim.RecordKey)
			feed, _ := feedSince(t, store, "")
			if _, found := feed[feedKey(authcore.RevokeUser, account.User.ID)]; found {
				t.Errorf("point %d: the feed has an entry of a login that failed", n)
			}
			_, err = store.Login(t.Context(), step) // the client retries
			wantErr(t, "Login again", err, nil)
		}
		account.Revocations = nil
		wantAccount(t, store, start, account)
		wantNoRecord(t, store, proof.RecordKey)
		wantNoRecord(t, store, sibling.RecordKey)
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
