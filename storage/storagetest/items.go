package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// itemsOf returns the items of an account.
func itemsOf(account authcore.Account) []authcore.Item {
	account = account.Clone()
	items := []authcore.Item{{User: &account.User}}
	for i := range account.Identities {
		items = append(items, authcore.Item{Identity: &account.Identities[i]})
	}
	for i := range account.Sessions {
		items = append(items, authcore.Item{Session: &account.Sessions[i]})
	}
	return items
}

// inhabitants returns the items of n accounts.
func inhabitants(n int) []authcore.Item {
	var items []authcore.Item
	for range n {
		items = append(items, itemsOf(newAccount(uuid()))...)
	}
	return items
}

// export reads everything as a transfer does. It checks that each user comes
// before the items that name it, and that cursors proceed.
func export(t *testing.T, store authcore.Store, now time.Time, page func([]authcore.Item)) {
	t.Helper()
	users := make(map[string]bool)
	for cursor := ""; ; {
		items, next, err := store.Export(t.Context(), cursor, now)
		if err != nil {
			t.Fatalf("Export after %q: error %v", cursor, err)
		}
		if len(items) == 0 {
			return
		}
		for _, item := range items {
			switch {
			case item.User != nil:
				users[item.User.ID] = true
			case item.Identity != nil && !users[item.Identity.UserID],
				item.Session != nil && !users[item.Session.UserID]:
				t.Errorf("Export returned an item before its user: %s", plain(item))
			}
		}
		if next == cursor {
			t.Fatalf("Export after %q returned the same cursor", cursor)
		}
		page(items)
		cursor = next
	}
}

func plainItems(items []authcore.Item) []string {
	lines := make([]string, 0, len(items))
	for _, item := range items {
		if item.Revocation != nil {
			revocation := *item.Revocation
			revocation.Age = 0
			item.Revocation = &revocation
		}
		lines = append(lines, plain(item))
	}
	slices.Sort(lines)
	return slices.Compact(lines) // an item may be returned twice
}

// exported returns what an export returns.
func exported(t *testing.T, store authcore.Store, now time.Time) []authcore.Item {
	t.Helper()
	var all []authcore.Item
	export(t, store, now, func(items []authcore.Item) { all = append(all, items...) })
	return all
}

// wantItems checks that these items are exported, in any order, and returns them
// in the order of the export.
func wantItems(t *testing.T, store authcore.Store, now time.Time, want []authcore.Item) []authcore.Item {
	t.Helper()
	got := exported(t, store, now)
	wantLines(t, "exported, but not expected", plainItems(got), plainItems(want))
	wantLines(t, "not exported", plainItems(want), plainItems(got))
	return got
}

// wantLines checks that each line is among others.
func wantLines(t *testing.T, problem string, lines, others []string) {
	t.Helper()
	for _, line := range lines {
		if _, found := slices.BinarySearch(others, line); !found {
			t.Errorf("an item is %s: %s", problem, line)
		}
	}
}

func wantImported(t *testing.T, store authcore.Store, items []authcore.Item, want int) {
	t.Helper()
	got, err := store.Import(t.Context(), items)
	if err != nil || got != want {
		t.Errorf("Import of %d items stored %d, error %v, want %d", len(items), got, err, want)
	}
}

// furnishRealm makes a realm with all kinds of items and returns those that are
// moved after two hours. The first ones are a user and an identity.
func furnishRealm(t *testing.T, store authcore.Store) []authcore.Item {
	t.Helper()
	ada := newAccount("ada")
	tenant, pending, unlinked := newIdentity("2"), newIdentity("3"), newIdentity("4")
	tenant.Issuer, tenant.Email, tenant.Created = "https://tenant.example", "", at(time.Minute)
	pending.State, pending.Expires, pending.Created = authcore.IdentityPending, at(day), at(2*time.Minute)
	unlinked.State, unlinked.Created = authcore.IdentityUnlinked, at(3*time.Minute)
	ended := newSession(time.Minute)
	ada.Identities, ada.Sessions = append(ada.Identities, tenant, pending, unlinked), append(ada.Sessions, ended)
	ada = signUp(t, store, ada)
	ada = update(t, store, ada.User.ID, func(a *authcore.Account) {
		a.EndSessions(func(s authcore.Session) bool { return s.ID == ended.ID })
	})
	outcast, returned, gone := signUpNamed(t, store, "mallory"), signUpNamed(t, store, "eve"), signUpNamed(t, store, "gone")
	endings := []authcore.Session{ended, outcast.Sessions[0], returned.Sessions[0]}
	disable(t, store, outcast.User.ID, at(14*day))
	outcast.User.Disabled, outcast.User.DeviceEpoch, outcast.Sessions = true, 1, nil
	disable(t, store, returned.User.ID, at(14*day))
	returned = update(t, store, returned.User.ID, (*authcore.Account).Enable)
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), gone.User.ID, revokeUser(gone.User.ID)), nil)
	unverified := newUser("someone@example.com")
	unverified.EmailVerified, unverified.LastLogin = false, time.Time{}
	signUp(t, store, authcore.Account{User: unverified})
	link, passkey, short := newRecord("link", "address"), newRecord("passkey", ada.User.ID), newRecord("short", "address")
	link.Expires, passkey.Expires, passkey.Data = at(3*time.Hour), time.Time{}, []byte{0, 0xff, 1}
	put(t, store, link, passkey, short)
	keys := []authcore.SigningKey{newKey("a"), newKey("b")}
	keys[1].Signs, keys[1].Expires = at(2*time.Hour), time.Time{}
	updateKeys(t, store, nil, keys)

	items := slices.Concat(itemsOf(ada), itemsOf(outcast), itemsOf(returned), []authcore.Item{
		{User: &unverified}, {Record: &link}, {Record: &passkey}, {Key: &keys[0]}, {Key: &keys[1]},
	})
	revocations := []authcore.Revocation{revokeUser(outcast.User.ID), revokeUser(gone.User.ID)}
	for _, s := range endings {
		revocations = append(revocations, revokeSession(s))
	}
	for _, revocation := range revocations {
		items = append(items, authcore.Item{Revocation: &revocation})
	}
	return items
}

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
	err := drop(two.UpdateAccount(t.Context(), id, start, func(*authcore.Account) error { return nil }))
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
