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
	for _, check := range []struct {
		name string
		run  func(t *testing.T, reopen func() authcore.Store)
	}{
		{"Accounts", durableAccounts},
		{"Logins", durableLogins},
		{"Records", durableRecords},
		{"Revocations", durableRevocations},
		{"Keys", func(t *testing.T, reopen func() authcore.Store) {
			want := []authcore.SigningKey{newKey("a"), newKey("b")}
			updateKeys(t, reopen(), nil, want)
			updateKeys(t, reopen(), want, want)
		}},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, place(t)) })
	}
	t.Run("Transfer", func(t *testing.T) { durableTransfer(t, place(t), place(t)) })
}

// durableTransfer moves a realm in steps that each end with a restart.
func durableTransfer(t *testing.T, from, to func() authcore.Store) {
	want := furnishRealm(t, from())
	for part := range slices.Chunk(inhabitants(500), 500) {
		wantImported(t, from(), part, len(part))
		want = append(want, part...)
	}
	now := at(2 * time.Hour)
	for pages, moved := 1, false; !moved; pages++ {
		source, target, cursor := from(), to(), ""
		for range pages {
			items, next, err := source.Export(t.Context(), cursor, now)
			wantErr(t, "Export", err, nil)
			_, err = target.Import(t.Context(), items)
			wantErr(t, "Import", err, nil)
			cursor, moved = next, len(items) == 0 || err != nil
		}
	}
	wantItems(t, to(), now, want)
	wantItems(t, from(), now, want)
}

func durableAccounts(t *testing.T, reopen func() authcore.Store) {
	account, gone := signUpNamed(t, reopen(), "ada"), signUpNamed(t, reopen(), "gone")
	before := account
	account = update(t, reopen(), account.User.ID, func(a *authcore.Account) {
		a.User.Email, a.User.Roles = "countess@example.com", nil
		a.Identities = []authcore.Identity{newIdentity("new")}
		a.Start(newSession(time.Hour), 1)
	})
	id := account.User.ID
	ref := authcore.SessionRef{UserID: id, ID: account.Sessions[0].ID}
	account.Sessions[0].LastSeen = at(2 * time.Hour)
	err := reopen().MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{ref: at(2 * time.Hour)})
	wantErr(t, "MarkSeen", err, nil)
	owned := newRecord("owned", gone.User.ID)
	put(t, reopen(), owned)
	wantErr(t, "DeleteUser", reopen().DeleteUser(t.Context(), gone.User.ID, revokeUser(gone.User.ID)), nil)

	store := reopen()
	account.Revocations = nil
	wantAccount(t, store, start, account)
	wantIndexes(t, store, before, account)
	wantIndexes(t, store, gone, account)
	wantNoRecord(t, store, owned.RecordKey)
	session := before.Sessions[0]
	wantFeed(t, store, "", revokeUser(gone.User.ID),
		authcore.Revocation{Kind: authcore.RevokeSession, ID: session.ID, Until: session.Expires})
	if users := list(t, store, authcore.UserFilter{}, ""); !slices.Equal(users, []string{id}) {
		t.Errorf("Users = %q, want %q", users, id)
	}
}

// durableLogins: a restart makes no used proof usable, and no failed one fresh.
func durableLogins(t *testing.T, reopen func() authcore.Store) {
	proof, sibling, claim := newRecord("1", "ada"), newRecord("2", "ada"), newRecord("claim", "")
	put(t, reopen(), proof, sibling)
	step := authcore.LoginStep{
		Now: start, Proof: proof.RecordKey, Claims: []authcore.Record{claim},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			found.Proof.Data = append(found.Proof.Data, '!')
			return authcore.Account{}, authcore.ErrProofFailed
		},
	}
	for range 3 {
		_, err := reopen().Login(t.Context(), step)
		wantErr(t, "Login", err, authcore.ErrProofFailed)
		proof.Data = append(proof.Data, '!')
		wantRecord(t, reopen(), proof)
	}
	account := newAccount("ada")
	step.Decide = storing(account)
	_, err := reopen().Login(t.Context(), step)
	wantErr(t, "Login", err, nil)
	_, err = reopen().Login(t.Context(), step)
	wantErr(t, "Login again", err, authcore.ErrNotFound)
	store := reopen()
	wantNoRecord(t, store, sibling.RecordKey)
	wantRecord(t, store, claim)
	got, err := store.Account(t.Context(), byEmail("ada@example.com"), start)
	wantErr(t, "Account", err, nil)
	if got.User.ID != account.User.ID || len(got.Sessions) != 1 {
		t.Errorf("Account = %s, want %s with a session", plain(got), account.User.ID)
	}
}

func durableRecords(t *testing.T, reopen func() authcore.Store) {
	kept, taken, deleted, swept := newRecord("kept", "ada"), newRecord("taken", "ada"), newRecord("deleted", "ada"), newRecord("swept", "ada")
	swept.Expires = at(-time.Minute)
	put(t, reopen(), kept, taken, deleted, swept)
	_, err := reopen().UpdateRecord(t.Context(), kept.RecordKey, start, func(r *authcore.Record) error {
		r.Data = []byte{0, 0xff}
		return nil
	})
	wantErr(t, "UpdateRecord", err, nil)
	kept.Data = []byte{0, 0xff}
	wantErr(t, "TakeRecord", second(reopen().TakeRecord(t.Context(), taken.RecordKey, start)), nil)
	wantErr(t, "DeleteRecord", reopen().DeleteRecord(t.Context(), deleted.RecordKey), nil)
	sweep(t, reopen(), start)
	store := reopen()
	wantRecord(t, store, kept)
	wantRecordsOf(t, store, "link", "ada", "kept")
	for _, gone := range []authcore.Record{taken, deleted} {
		wantNoRecord(t, store, gone.RecordKey)
	}
	_, err = store.Record(t.Context(), swept.RecordKey, at(-time.Hour))
	wantErr(t, "Record that was swept", err, authcore.ErrNotFound)
}

// durableRevocations: a node keeps its cursor while the store restarts.
func durableRevocations(t *testing.T, reopen func() authcore.Store) {
	user := signUpNamed(t, reopen(), "ada").User
	disable(t, reopen(), user.ID, at(14*day))
	expired := revokeUser("expired")
	expired.Until = at(-time.Minute)
	revoke(t, reopen(), expired)
	_, cursor := feedSince(t, reopen(), "")
	sweep(t, reopen(), start)
	revoke(t, reopen(), revokeUser("other"))
	wantRevoked(t, reopen(), cursor, revokeUser("other"))
	_, cursor = feedSince(t, reopen(), "")
	update(t, reopen(), user.ID, (*authcore.Account).Enable)
	sweep(t, reopen(), at(time.Hour))
	wantRevoked(t, reopen(), cursor, authcore.Revocation{Kind: authcore.RevokeUser, ID: user.ID})
}
