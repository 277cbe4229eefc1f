package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func deleteChecks() []check {
	return []check{
		{"Everything", deleteEverything},
		{"Unknown", func(t *testing.T, store authcore.Store) {
			id := uuid()
			put(t, store, newRecord("kept", id)) // an owner need not be a user
			wantErr(t, "DeleteUser of an unknown user", store.DeleteUser(t.Context(), id, revokeUser(id)), authcore.ErrNotFound)
			wantFeed(t, store, "")
			wantRecordsOf(t, store, "link", id, "kept")
		}},
		{"ManyRecords", func(t *testing.T, store authcore.Store) {
			account := signUpNamed(t, store, "ada")
			id := account.User.ID
			for i := range 300 {
				record := newRecord(uuid(), id)
				record.Kind = []string{"link", "code", "passkey"}[i%3]
				put(t, store, record)
			}
			wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
			for _, kind := range []string{"link", "code", "passkey"} {
				wantRecordsOf(t, store, kind, id)
			}
		}},
	}
}

func deleteEverything(t *testing.T, store authcore.Store) {
	account := newAccount("ada")
	pending, unlinked := newIdentity("pending"), newIdentity("unlinked")
	pending.State, unlinked.State = authcore.IdentityPending, authcore.IdentityUnlinked
	account.Identities = append(account.Identities, pending, unlinked)
	account.Sessions = append(account.Sessions, newSession(time.Minute))
	account = signUp(t, store, account)
	bystander, id := signUpNamed(t, store, "grace"), account.User.ID
	passkey, link, kept := newRecord("passkey", id), newRecord("link", id), newRecord("kept", bystander.User.ID)
	passkey.Kind, passkey.Expires = "passkey", time.Time{}
	put(t, store, passkey, link, kept)
	_, cursor := feedSince(t, store, "")

	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
	wantFeed(t, store, cursor, revokeUser(id))
	refs := []authcore.UserRef{byID(id), byEmail("ada@example.com")}
	for _, identity := range account.Identities {
		refs = append(refs, byIdentity(identity))
	}
	for _, ref := range refs {
		wantNoUser(t, store, ref)
	}
	wantNoRecord(t, store, passkey.RecordKey)
	wantNoRecord(t, store, link.RecordKey)
	wantRecordsOf(t, store, "link", id)
	wantRecord(t, store, kept)
	wantAccount(t, store, start, bystander)
	wantErr(t, "DeleteUser again", store.DeleteUser(t.Context(), id, revokeUser(id)), authcore.ErrNotFound)

	// Address, identities and even the ID are free, and nothing of before returns.
	again := account.Clone()
	again.Sessions, again.User.Roles = nil, nil
	wantAccount(t, store, start, signUp(t, store, again))
	wantRecordsOf(t, store, "link", id)
}
