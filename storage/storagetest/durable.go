package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Place makes an empty place for a realm and returns a function that opens the
// store there, after it has closed the store that it opened before. The last one
// is closed with t.Cleanup.
type Place func(t *testing.T) (reopen func() authcore.Store)

// RunDurable checks that acknowledged steps are still there after the store was
// closed and opened again. Counters are left out: an engine may lose them.
func RunDurable(t *testing.T, place Place) {
	t.Helper()
	for name, run := range map[string]func(t *testing.T, reopen func() authcore.Store){
		"Accounts": durableAccounts, "Records": durableRecords, "Revocations": durableRevocations,
		"Keys": func(t *testing.T, reopen func() authcore.Store) {
			want := []authcore.SigningKey{newKey("a"), newKey("b")}
			updateKeys(t, reopen(), nil, want)
			updateKeys(t, reopen(), want, want)
		},
	} {
		t.Run(name, func(t *testing.T) { run(t, place(t)) })
	}
	t.Run("Transfer", func(t *testing.T) { durableTransfer(t, place(t), place(t)) })
}

// durableTransfer moves a realm to a place that is reopened after each part.
func durableTransfer(t *testing.T, from, to func() authcore.Store) {
	want, now := furnishRealm(t, from()), at(2*time.Hour)
	for part := range slices.Chunk(exported(t, from(), now), 5) {
		wantImported(t, to(), part, len(part))
	}
	wantItems(t, to(), now, want)
	wantItems(t, from(), now, want)
}

// durableAccounts: a restart makes no used proof usable, and no failed one fresh.
func durableAccounts(t *testing.T, reopen func() authcore.Store) {
	proof, sibling, claim := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("claim", "")
	put(t, reopen(), proof, sibling)
	account, gone := newAccount("ada"), signUpNamed(t, reopen(), "gone")
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Proof.Data = append(found.Proof.Data, '!')
			return authcore.Account{}, authcore.ErrProofFailed
		},
	}
	for range 2 {
		wantErr(t, "Login", drop(reopen().Login(t.Context(), step)), authcore.ErrProofFailed)
		proof.Data = append(proof.Data, '!')
		wantRecord(t, reopen(), proof)
	}
	step.Decide = storing(account)
	wantErr(t, "Login", drop(reopen().Login(t.Context(), step)), nil)
	wantErr(t, "Login again", drop(reopen().Login(t.Context(), step)), authcore.ErrNotFound)
	wantRecordsOf(t, reopen(), "link", "ada")
	wantRecord(t, reopen(), claim)

	before := account
	account = update(t, reopen(), account.User.ID, func(a *authcore.Account) {
		a.User.Email, a.User.Roles = "countess@example.com", nil
		a.Identities = []authcore.Identity{newIdentity("new")}
		a.Start(newSession(time.Hour), 1)
	})
	seen := authcore.SessionRef{UserID: account.User.ID, ID: account.Sessions[0].ID}
	account.Sessions[0].LastSeen = at(2 * time.Hour)
	err := reopen().MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{seen: at(2 * time.Hour)})
	wantErr(t, "MarkSeen", err, nil)
	owned := newRecord("owned", gone.User.ID)
	put(t, reopen(), owned)
	wantErr(t, "DeleteUser", reopen().DeleteUser(t.Context(), gone.User.ID, revokeUser(gone.User.ID)), nil)
	wantAccount(t, reopen(), start, account)
	wantNoRecord(t, reopen(), owned.RecordKey)
	wantFeed(t, reopen(), "", revokeUser(gone.User.ID), revokeSession(before.Sessions[0]))
	store := reopen()
	wantNoUser(t, store, byID(gone.User.ID))
	wantIndexes(t, store, before, account)
	wantIndexes(t, store, gone, account)
}

func durableRecords(t *testing.T, reopen func() authcore.Store) {
	kept, taken, deleted, swept := newRecord("kept", "ada"), newRecord("taken", "ada"), newRecord("deleted", "ada"), newRecord("swept", "ada")
	swept.Expires = at(-time.Minute)
	put(t, reopen(), kept, taken, deleted, swept)
	kept.Data = []byte{0, 0xff}
	wantErr(t, "UpdateRecord", drop(reopen().UpdateRecord(t.Context(), kept.RecordKey, start, func(r *authcore.Record) error {
		r.Data = kept.Data
		return nil
	})), nil)
	wantErr(t, "TakeRecord", drop(reopen().TakeRecord(t.Context(), taken.RecordKey, start)), nil)
	wantErr(t, "DeleteRecord", reopen().DeleteRecord(t.Context(), deleted.RecordKey), nil)
	sweep(t, reopen(), start)
	store := reopen()
	wantRecord(t, store, kept)
	records, err := recordsOf(t, store, "link", "ada", at(-time.Hour))
	if err != nil || len(records) != 1 {
		t.Errorf("ListRecords = %s, error %v, want the record that was kept", plain(records), err)
	}
}

// durableRevocations: a node keeps its cursor while the store restarts.
func durableRevocations(t *testing.T, reopen func() authcore.Store) {
	user := signUpNamed(t, reopen(), "ada").User
	disable(t, reopen(), user.ID, at(14*day))
	_, cursor := feedSince(t, reopen(), "")
	sweep(t, reopen(), start)
	revoke(t, reopen(), revokeUser("other"))
	wantRevoked(t, reopen(), cursor, revokeUser("other"))
	_, cursor = feedSince(t, reopen(), "")
	update(t, reopen(), user.ID, (*authcore.Account).Enable)
	sweep(t, reopen(), at(time.Hour))
	wantRevoked(t, reopen(), cursor, authcore.Revocation{Kind: authcore.RevokeUser, ID: user.ID})
}
