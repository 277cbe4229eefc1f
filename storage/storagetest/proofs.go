package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// proofOwner: a login by one link ends the other links of its address.
func proofOwner(t *testing.T, store authcore.Store) {
	proof, sibling, old := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("3", "ada")
	old.Expires = at(-time.Hour)
	other, kind := newRecord("4", "ad"), newRecord("5", "ada")
	kind.Kind = "code"
	free, bystander := newRecord("6", ""), newRecord("7", "")
	put(t, store, proof, sibling, old, other, kind, free, bystander)
	login(t, store, authcore.LoginStep{Proof: proof.RecordKey, Decide: storing(newAccount("ada"))})
	wantRecordsOf(t, store, "link", "ada")
	wantNoRecord(t, store, proof.RecordKey)
	wantNoRecord(t, store, sibling.RecordKey)
	wantRecord(t, store, other)
	wantRecord(t, store, kind)
	login(t, store, authcore.LoginStep{Proof: free.RecordKey, Decide: storing(newAccount("grace"))})
	wantNoRecord(t, store, free.RecordKey)
	wantRecord(t, store, bystander) // without an owner there are no siblings
}

func proofAbsent(t *testing.T, store authcore.Store) {
	expired, live, used := newRecord("expired", ""), newRecord("live", ""), newRecord("used", "")
	expired.Expires = at(-time.Millisecond)
	put(t, store, expired, live, used)
	for name, step := range map[string]authcore.LoginStep{
		"expired for the engine": {Now: start, Proof: expired.RecordKey},
		"expired for the node":   {Now: live.Expires, Proof: live.RecordKey},
		"absent":                 {Now: start, Proof: authcore.RecordKey{Kind: "link", Key: "absent"}},
		"of another kind":        {Now: start, Proof: authcore.RecordKey{Kind: "code", Key: "live"}},
		"absent, claim used":     {Now: start, Proof: expired.RecordKey, Claims: []authcore.Record{used}},
	} {
		step.Decide = func(authcore.LoginFound) (authcore.Account, error) {
			t.Errorf("%s: Decide was called", name)
			return newAccount("ada"), nil
		}
		wantErr(t, "Login with a proof that is "+name, drop(store.Login(t.Context(), step)), authcore.ErrNotFound)
	}
	wantNoUser(t, store, byEmail("ada@example.com"))
	wantRecord(t, store, live)
}

// proofFailed: a wrong guess is counted in the record, and nothing else happens.
func proofFailed(t *testing.T, store authcore.Store) {
	proof, sibling, claim := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("claim", "")
	put(t, store, proof, sibling)
	known, account := signUpNamed(t, store, "ada"), newAccount("grace")
	wrong := fmt.Errorf("guess 1: %w", authcore.ErrProofFailed)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim}, Refs: []authcore.UserRef{byID(known.User.ID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if found.Proof != nil {
				found.Proof.Data = []byte("1 guess")
				found.Proof.Owner, found.Proof.Created, found.Proof.Expires = "other", at(day), at(365*day)
			}
			found.Accounts[0].User.FirstName = "changed"
			return account, wrong
		},
	}
	err := drop(store.Login(t.Context(), step))
	if err != wrong { //nolint:errorlint // unchanged means unwrapped
		t.Errorf("Login = error %v, want the error of Decide itself", err)
	}
	proof.Data = []byte("1 guess")
	wantRecord(t, store, proof)
	wantRecordsOf(t, store, "link", "ada", "1", "2")
	wantNoRecord(t, store, claim.RecordKey)
	wantNoUser(t, store, byID(account.User.ID))
	wantAccount(t, store, start, known)
	step.Proof = authcore.RecordKey{}
	wantErr(t, "Login without a proof", drop(store.Login(t.Context(), step)), authcore.ErrProofFailed)
}

func claims(t *testing.T, store authcore.Store) {
	first, another, owned := newRecord("first", ""), newRecord("second", ""), newRecord("owned", "grace")
	stored := []authcore.Record{first, another, owned}
	login(t, store, authcore.LoginStep{Claims: stored, Decide: storing(newAccount("ada"))})
	for _, claim := range stored {
		wantRecord(t, store, claim)
	}
	wantRecordsOf(t, store, "link", "grace", "owned")

	proof, fresh := newRecord("proof", ""), newRecord("fresh", "")
	put(t, store, proof)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{fresh, first}, Decide: storing(newAccount("grace")),
	}
	wantErr(t, "Login with a used claim", drop(store.Login(t.Context(), step)), authcore.ErrExists)
	wantRecord(t, store, proof)
	wantNoRecord(t, store, fresh.RecordKey)
	wantNoUser(t, store, byEmail("grace@example.com"))

	// Claims that have expired count as absent, for the node and for the engine.
	past, future := newRecord("past", ""), first
	past.Expires = at(-time.Hour)
	put(t, store, past)
	past.Expires, future.Expires = at(2*time.Hour), at(2*time.Hour)
	step.Now, step.Proof, step.Claims = first.Expires, authcore.RecordKey{}, []authcore.Record{past, future}
	wantErr(t, "Login with expired claims", drop(store.Login(t.Context(), step)), nil)
	wantRecord(t, store, past)
	wantRecord(t, store, future)
}
