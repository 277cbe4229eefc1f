package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// sweep sweeps and returns the number of deleted items.
func sweep(t *testing.T, store authcore.Store, now time.Time) int {
	t.Helper()
	swept, err := store.Sweep(t.Context(), now)
	if err != nil || swept.Damaged != 0 {
		t.Errorf("Sweep = %+v, error %v, want no damage", swept, err)
	}
	return swept.Removed
}

func sweepChecks(config Config) []check {
	return []check{
		{"DeletesTheExpiredOnly", sweepExpired},
		{"ClockOfANodeIsAhead", func(t *testing.T, store authcore.Store) {
			account, record, key := mixedRealm(t, store)
			sweep(t, store, at(40*day))
			if config.Clock { // the items are live by the clock of the engine
				wantRecord(t, store, record)
				wantFeed(t, store, "", revokeUser("live"))
			} else { // deleted items do not return when the clock is right again
				account.Sessions, account.Identities = nil, account.Identities[:1]
				wantNoRecord(t, store, record.RecordKey)
				wantFeed(t, store, "")
			}
			wantAccount(t, store, start, account)
			updateKeys(t, store, []authcore.SigningKey{key}, []authcore.SigningKey{key}) // the rotation retires keys
		}},
		{"Many", sweepMany},
		{"Race", sweepRace},
	}
}

// mixedRealm stores items that are live and others that expired before start. It
// returns the live ones.
func mixedRealm(t *testing.T, store authcore.Store) (authcore.Account, authcore.Record, authcore.SigningKey) {
	t.Helper()
	account, key := newAccount("ada"), newKey("a")
	key.Expires = time.Time{}
	pending, past := newIdentity("pending"), newIdentity("past")
	pending.State, pending.Expires, pending.Created = authcore.IdentityPending, at(20*day), at(time.Minute)
	past.State, past.Expires = authcore.IdentityPending, at(-time.Hour)
	expired := newSession(-30 * day)
	account.Identities = append(account.Identities, pending, past)
	account.Sessions = append(account.Sessions, expired)
	ended := revokeUser("expired")
	ended.Until = at(-time.Hour)
	account.Revocations = []authcore.Revocation{revokeUser("live"), ended}
	account = signUp(t, store, account)
	live, gone := newRecord("live", account.User.ID), newRecord("gone", account.User.ID)
	gone.Expires = at(-time.Hour)
	put(t, store, live, gone)
	updateKeys(t, store, nil, []authcore.SigningKey{key})
	return account, live, key
}

func sweepExpired(t *testing.T, store authcore.Store) {
	account, record, key := mixedRealm(t, store)
	sweep(t, store, start)
	if n := sweep(t, store, start); n != 0 {
		t.Errorf("the second Sweep removed %d items, want none", n)
	}
	wantAccount(t, store, start, account)
	wantAccount(t, store, at(-40*day), account) // no expired session is left
	wantRecord(t, store, record)
	records, err := recordsOf(t, store, "link", record.Owner, at(-40*day))
	if err != nil || len(records) != 1 {
		t.Errorf("ListRecords = %s, error %v, want the live one", plain(records), err)
	}
	wantFeed(t, store, "", revokeUser("live"))
	updateKeys(t, store, []authcore.SigningKey{key}, []authcore.SigningKey{key})
	counter := authcore.Counter{Limit: "a", Party: "a", Window: time.Hour}
	wantCount(t, store, start, counter, 1, 1)
	sweep(t, store, at(time.Minute))
	wantCount(t, store, start, counter, 1, 2)
	// The keys of deleted items are free.
	past := newIdentity("past")
	past.State = authcore.IdentityPending
	other := newAccount("grace")
	other.Identities = []authcore.Identity{past}
	wantAccount(t, store, start, signUp(t, store, other))
	put(t, store, newRecord("gone", ""))
}

// sweepMany deletes more than an engine should delete in one transaction.
func sweepMany(t *testing.T, store authcore.Store) {
	const n = 2500
	var items []authcore.Item
	for i := range n {
		record := newRecord(fmt.Sprint(i), "ada")
		if i%10 != 0 {
			record.Expires = at(-time.Minute)
		}
		items = append(items, authcore.Item{Record: &record})
	}
	for part := range slices.Chunk(items, 500) {
		wantErr(t, "Import", drop(store.Import(t.Context(), part)), nil)
	}
	for range 10 { // an engine may bound the work of one call
		sweep(t, store, start)
	}
	records, err := recordsOf(t, store, "link", "ada", at(-time.Hour))
	if err != nil || len(records) != n/10 {
		t.Errorf("ListRecords = %d records, error %v, want %d", len(records), err, n/10)
	}
}

// sweepRace: an item that is extended while it expires is extended or gone, never
// half of both.
func sweepRace(t *testing.T, store authcore.Store) {
	for i := range few {
		account, record := newAccount(fmt.Sprint("user", i)), newRecord(fmt.Sprint(i), "")
		account.Sessions[0].Expires, record.Expires = at(-time.Millisecond), at(-time.Millisecond)
		account = signUp(t, store, account)
		put(t, store, record)
		before := at(-time.Second)
		var extended error
		var renewed authcore.Account
		together(3, func(i int) {
			switch i {
			case 0:
				wantErr(t, "Sweep", drop(store.Sweep(t.Context(), start)), nil)
			case 1:
				extended = drop(store.UpdateRecord(t.Context(), record.RecordKey, before, func(r *authcore.Record) error {
					r.Expires = at(day)
					return nil
				}))
			case 2:
				renewed, _ = store.UpdateAccount(t.Context(), account.User.ID, before, func(a *authcore.Account) error {
					for i := range a.Sessions {
						a.Sessions[i].Expires = at(day)
					}
					return nil
				})
			}
		})
		err := drop(store.Record(t.Context(), record.RecordKey, start))
		if (extended == nil) != (err == nil) {
			t.Errorf("UpdateRecord returned error %v, then Record returned error %v", extended, err)
		}
		wantAccount(t, store, start, renewed)
	}
}
