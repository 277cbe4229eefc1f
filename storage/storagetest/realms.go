package storagetest

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// realmsApart fills one realm and finds nothing of it in the other, under the same
// IDs, addresses and keys.
func realmsApart(t *testing.T, one, two authcore.Store) {
	account, record := newAccount("ada"), newRecord("key", "ada")
	account.Revocations = []authcore.Revocation{revokeUser("a")}
	account = signUp(t, one, account)
	put(t, one, record)
	updateKeys(t, one, nil, []authcore.SigningKey{newKey("a")})
	counter := authcore.Counter{Limit: "l", Party: "a", Window: time.Hour}
	wantCount(t, one, start, counter, 1, 1)
	wantCount(t, two, start, counter, 1, 1)

	id := account.User.ID
	for _, ref := range []authcore.UserRef{byID(id), byEmail("ada@example.com"), byIdentity(account.Identities[0])} {
		wantNoUser(t, two, ref)
	}
	_, err := two.UpdateAccount(t.Context(), id, start, func(*authcore.Account) error { return nil })
	wantErr(t, "UpdateAccount", err, authcore.ErrNotFound)
	wantErr(t, "DeleteUser", two.DeleteUser(t.Context(), id, revokeUser(id)), authcore.ErrNotFound)
	ref := authcore.SessionRef{UserID: id, ID: account.Sessions[0].ID}
	wantErr(t, "MarkSeen", two.MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{ref: at(time.Hour)}), nil)
	wantNoRecord(t, two, record.RecordKey)
	wantErr(t, "TakeRecord", drop(two.TakeRecord(t.Context(), record.RecordKey, start)), authcore.ErrNotFound)
	err = two.PutRecord(t.Context(), newRecord("owned", id), authcore.PutOptions{Now: start, OwnedByUser: true})
	wantErr(t, "PutRecord for a user of another realm", err, authcore.ErrNotFound)
	wantErr(t, "DeleteRecord", two.DeleteRecord(t.Context(), record.RecordKey), nil)
	wantRecordsOf(t, two, "link", "ada")
	wantFeed(t, two, "")
	updateKeys(t, two, nil, nil)
	wantItems(t, two, start, nil)
	if users := list(t, two, authcore.UserFilter{}, ""); len(users) != 0 {
		t.Errorf("Users of an empty realm = %q, want none", users)
	}
	sweep(t, two, at(100*day))

	other := signUpNamed(t, two, "ada") // the address and the identity are free here
	put(t, two, newRecord("key", "ada"))
	wantErr(t, "DeleteUser", two.DeleteUser(t.Context(), other.User.ID, revokeUser(id)), nil)
	wantAccount(t, one, start, account)
	wantRecord(t, one, record)
	wantFeed(t, one, "", revokeUser("a"))
}
