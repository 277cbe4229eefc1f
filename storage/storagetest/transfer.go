package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func transferChecks(config Config) []check {
	both := func(run func(t *testing.T, one, two authcore.Store)) func(*testing.T, authcore.Store) {
		return func(t *testing.T, store authcore.Store) { run(t, store, config.Open(t)) }
	}
	return []check{
		{"RealmsAreSeparate", both(realmsApart)},
		{"EverythingIsMoved", both(moveEverything)},
		{"ExpiredItemsAreLeftOut", expiredExport},
		{"PagesMissNothing", both(manyPages)},
		{"ExportDuringWrites", both(exportDuringWrites)},
		{"ImportIsIdempotent", both(importTwice)},
		{"MergesKeysInOrder", mergeKeys},
		{"RefusesConflicts", importConflicts},
		{"ManyImportersStoreOnce", func(t *testing.T, to authcore.Store) {
			items, sum := inhabitants(20), atomic.Int64{}
			together(8, func(int) {
				stored, err := to.Import(t.Context(), items)
				wantErr(t, "Import", err, nil)
				sum.Add(int64(stored))
			})
			if int(sum.Load()) != len(items) {
				t.Errorf("8 imports report %d stored items, want %d", sum.Load(), len(items))
			}
			wantItems(t, to, start, items)
		}},
	}
}

// moveEverything: users who were moved are found in each way, and log in as before.
func moveEverything(t *testing.T, from, to authcore.Store) {
	now := at(2 * time.Hour)
	wantImported(t, to, nil, 0)
	want := furnishRealm(t, from)
	items := wantItems(t, from, now, want)
	wantItems(t, from, now, want) // an export changes nothing
	_, cursor := feedSince(t, to, "")
	wantImported(t, to, items, len(want))
	wantItems(t, to, now, want)
	var outcast string
	for _, item := range want {
		switch {
		case item.User != nil && item.User.EmailVerified:
			wantUser(t, to, byEmail(item.User.EmailKey()), item.User.ID)
			if item.User.Disabled {
				outcast = item.User.ID
			}
		case item.Identity != nil:
			wantUser(t, to, byIdentity(*item.Identity), item.Identity.UserID)
		case item.Revocation != nil:
			wantRevoked(t, to, cursor, *item.Revocation)
		}
	}
	refs := []authcore.UserRef{byID(outcast)}
	wantErr(t, "Login of a disabled user", raceLogin(t, to, authcore.LoginStep{Refs: refs}), errRefused)
	update(t, to, outcast, (*authcore.Account).Enable)
	wantRevoked(t, to, cursor, authcore.Revocation{Kind: authcore.RevokeUser, ID: outcast})
	wantErr(t, "Login", raceLogin(t, to, authcore.LoginStep{Refs: refs}), nil)
	ada := *want[0].User
	wantErr(t, "DeleteUser", to.DeleteUser(t.Context(), ada.ID, revokeUser(ada.ID)), nil)
	for _, ref := range []authcore.UserRef{byID(ada.ID), byEmail(ada.EmailKey()), byIdentity(*want[1].Identity)} {
		wantNoUser(t, to, ref)
	}
	wantRecordsOf(t, to, "link", ada.ID)
}

// expiredExport: an item that has expired is not moved, though an engine may still
// keep it.
func expiredExport(t *testing.T, from authcore.Store) {
	account, live, key := mixedRealm(t, from)
	revocation, old := revokeUser("live"), newKey("old")
	wantImported(t, from, []authcore.Item{{Key: &old}}, 1)
	want := append(itemsOf(account), authcore.Item{Record: &live}, authcore.Item{Key: &key}, authcore.Item{Key: &old})
	wantItems(t, from, start, append(want, authcore.Item{Revocation: &revocation}))
	wantItems(t, from, at(15*time.Minute-time.Millisecond), append(want, authcore.Item{Revocation: &revocation}))
	account.Sessions, account.Identities = nil, account.Identities[:1]
	wantItems(t, from, at(30*day), append(itemsOf(account), authcore.Item{Key: &key}))
}

// manyPages moves more than fits into one page of any engine.
func manyPages(t *testing.T, from, to authcore.Store) {
	want := inhabitants(1200)
	for i := range 1500 {
		revocation, record := revokeUser(fmt.Sprint(i)), newRecord(fmt.Sprint(i), fmt.Sprint(i%3))
		want = append(want, authcore.Item{Revocation: &revocation}, authcore.Item{Record: &record})
	}
	for part := range slices.Chunk(want, 999) {
		wantImported(t, from, part, len(part))
	}
	wantItems(t, from, start, want)
	export(t, from, start, func(items []authcore.Item) { wantErr(t, "Import", drop(to.Import(t.Context(), items)), nil) })
	wantItems(t, to, start, want)
}

// exportDuringWrites: items that are there before and do not change are never
// missed, and what is written meanwhile breaks nothing.
func exportDuringWrites(t *testing.T, from, to authcore.Store) {
	want := inhabitants(400)
	wantImported(t, from, want, len(want))
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := signUpNamed(t, from, fmt.Sprintf("w%d-%d", i, n)).User.ID
				put(t, from, newRecord(id, id))
				if n%2 == 0 {
					wantErr(t, "DeleteUser", from.DeleteUser(t.Context(), id, revokeUser(id)), nil)
				}
			}
		})
	}
	var got []authcore.Item
	for range 3 {
		export(t, from, start, func(items []authcore.Item) {
			got = append(got, items...)
			err := drop(to.Import(t.Context(), items))
			if !errors.Is(err, authcore.ErrNotFound) { // the user may be deleted before its page
				wantErr(t, "Import", err, nil)
			}
		})
	}
	stop()
	writers.Wait()
	wantLines(t, "not exported", plainItems(want), plainItems(got))
}

// importTwice: an interrupted import is repeated and must not undo what happened
// since.
func importTwice(t *testing.T, from, to authcore.Store) {
	want := furnishRealm(t, from)
	items := exported(t, from, at(2*time.Hour))
	stored, err := to.Import(t.Context(), items[:len(items)/2])
	wantErr(t, "Import", err, nil)
	wantImported(t, to, items, len(want)-stored)
	wantImported(t, to, append(slices.Clone(items), items...), 0)
	user, record := *want[0].User, newRecord("passkey", want[0].User.ID)
	record.Data = []byte("changed")
	put(t, to, record)
	user = update(t, to, user.ID, func(a *authcore.Account) {
		a.User.FirstName, a.User.Email = "Augusta", "countess@example.com"
	}).User
	wantImported(t, to, items, 0)
	wantUser(t, to, byEmail("countess@example.com"), user.ID)
	got, err := to.User(t.Context(), byID(user.ID))
	wantErr(t, "User", err, nil)
	wantSame(t, "User", got, user)
	wantRecord(t, to, record)
}

func mergeKeys(t *testing.T, to authcore.Store) {
	key := func(id string, signs time.Duration) authcore.SigningKey {
		key := newKey(id)
		key.Signs = at(signs)
		return key
	}
	first, second, third := key("1", time.Hour), key("2", 2*time.Hour), key("3", 3*time.Hour)
	third.Expires = time.Time{}
	updateKeys(t, to, nil, []authcore.SigningKey{second})
	other := second
	other.Private, other.Signs = []byte("another"), at(0)
	items := []authcore.Item{{Key: &third}, {Key: &first}, {Key: &other}}
	wantImported(t, to, items, 2)
	wantImported(t, to, items, 0)
	want := []authcore.SigningKey{first, second, third}
	updateKeys(t, to, want, want)
}

// importConflicts: of items that contradict what is there, and of those that come
// with them, nothing is stored.
func importConflicts(t *testing.T, to authcore.Store) {
	holder := signUpNamed(t, to, "ada")
	before := wantItems(t, to, start, itemsOf(holder))
	user := newUser("grace@example.com")
	taken, twin, unverified := newUser("ADA@example.com"), newUser("grace@example.com"), newUser("ada@example.com")
	unverified.EmailVerified = false
	identity := func(subject, userID string) authcore.Item {
		i := newIdentity(subject)
		i.UserID = userID
		return authcore.Item{Identity: &i}
	}
	orphan, key, revocation, record := newSession(0), newKey("a"), revokeUser("a"), newRecord("key", "ada")
	orphan.UserID = uuid()
	for name, test := range map[string]struct {
		items []authcore.Item
		want  error
	}{
		"the address of another user":   {[]authcore.Item{{User: &taken}}, authcore.ErrTaken},
		"one address twice":             {[]authcore.Item{{User: &twin}}, authcore.ErrTaken},
		"an identity of another user":   {[]authcore.Item{identity("ada", user.ID)}, authcore.ErrTaken},
		"one identity twice":            {[]authcore.Item{identity("2", user.ID), identity("2", holder.User.ID)}, authcore.ErrTaken},
		"an identity of an unknown one": {[]authcore.Item{identity("3", uuid())}, authcore.ErrNotFound},
		"a session of an unknown one":   {[]authcore.Item{{Session: &orphan}}, authcore.ErrNotFound},
	} {
		items := []authcore.Item{{User: &user}, {Key: &key}, {Revocation: &revocation}, {Record: &record}}
		stored, err := to.Import(t.Context(), append(items, test.items...))
		wantErr(t, "Import with "+name, err, test.want)
		if stored != 0 {
			t.Errorf("Import with %s = %d items, want 0", name, stored)
		}
		wantItems(t, to, start, before)
		wantNoUser(t, to, byEmail(user.Email))
		wantFeed(t, to, "")
	}
	wantUser(t, to, byIdentity(holder.Identities[0]), holder.User.ID)
	wantImported(t, to, []authcore.Item{{User: &unverified}, {User: &user}, identity("2", user.ID), {Record: &record}}, 4)
}
