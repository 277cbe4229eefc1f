package storagetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// transferCheck is one statement about two empty stores.
type transferCheck struct {
	name string
	run  func(t *testing.T, from, to authcore.Store)
}

func transferChecks() []transferCheck {
	return []transferCheck{
		{"NothingComesOfNothing", func(t *testing.T, from, to authcore.Store) {
			wantRecords(t, from, start, nil)
			wantImported(t, to, nil, 0)
		}},
		{"EverythingComesOver", comesOver},
		{"MovedUsersGoOn", movedUsers},
		{"PagesMissNothing", manyPages},
		{"ExportsWhileOthersWrite", exportBesideWriters},
		{"ImportsTwice", importTwice},
		{"MergesKeysInOrder", mergeKeys},
		{"RefusesConflicts", importConflicts},
		{"ManyImportersStoreOnce", importRace},
		{"ImportedThingsExpire", func(t *testing.T, _, to authcore.Store) {
			records := inhabitants(1)
			records = append(records, authcore.Record{Revocation: &authcore.Revocation{
				Kind: authcore.RevokeToken, ID: uuid(), Until: at(time.Hour),
			}})
			wantImported(t, to, records, 4)
			wantErr(t, "Sweep", to.Sweep(t.Context(), at(30*24*time.Hour)), nil)
			wantImported(t, to, records, 2) // the session and the revocation
		}},
	}
}

// comesOver fills a store by the calls that a realm makes and moves it.
func comesOver(t *testing.T, from, to authcore.Store) {
	now := at(2 * time.Hour)
	want := settle(t, from)
	records := wantRecords(t, from, now, want)
	for range 2 { // an export changes nothing
		wantRecords(t, from, now, want)
	}
	wantImported(t, to, records, len(want))
	wantRecords(t, to, now, want)
}

// movedUsers: whoever was moved is found in every way and goes on as before.
func movedUsers(t *testing.T, from, to authcore.Store) {
	user, outcast := addUser(t, from, "ada@example.com"), addUser(t, from, "mallory@example.com")
	wantErr(t, "LinkIdentity", from.LinkIdentity(t.Context(), newIdentity("1", user.ID)), nil)
	session := addSession(t, from, user.ID, 0)
	disable(t, from, outcast.ID, at(time.Hour))
	_, cursor := feedSince(t, to, "")
	export(t, from, start, func(records []authcore.Record) {
		_, err := to.Import(t.Context(), records)
		wantErr(t, "Import", err, nil)
	})

	got, created, err := to.EnsureUser(t.Context(), newUser("ADA@example.com", true))
	if err != nil || created {
		t.Errorf("EnsureUser: created %v, error %v", created, err)
	}
	wantSame(t, "user of the address", got, user)
	got, err = to.UserByIdentity(t.Context(), newIdentity("1", ""))
	wantErr(t, "UserByIdentity", err, nil)
	wantSame(t, "user of the identity", got, user)
	wantIdentities(t, to, user.ID, newIdentity("1", user.ID))
	wantSessions(t, to, user.ID, start, session)
	renewed, err := to.RenewSession(t.Context(), session.ID, session.TokenID, uuid(), session.Expires, start)
	wantErr(t, "RenewSession", err, nil)
	wantErr(t, "PutSession", to.PutSession(t.Context(), newSession(user.ID, 0)), nil)
	ended, err := to.EndSessions(t.Context(), user.ID, everySession, start)
	wantErr(t, "EndSessions", err, nil)
	if len(ended) != 2 || !slices.Contains(sessionIDs(ended), renewed.ID) {
		t.Errorf("ended sessions: %s", plain(ended))
	}
	err = to.PutSession(t.Context(), newSession(outcast.ID, 0))
	wantErr(t, "PutSession of a disabled user", err, authcore.ErrUserInactive)
	wantRevoked(t, to, cursor, authcore.RevokeUser, outcast.ID, at(time.Hour))
	_, err = to.SetDisabled(t.Context(), outcast.ID, false, time.Time{}, start)
	wantErr(t, "SetDisabled", err, nil)
	wantRevoked(t, to, cursor, authcore.RevokeUser, outcast.ID, time.Time{})
	wantErr(t, "DeleteUser", to.DeleteUser(t.Context(), user.ID, at(time.Hour), start), nil)
	_, err = to.UserByIdentity(t.Context(), newIdentity("1", ""))
	wantErr(t, "UserByIdentity of a deleted user's", err, authcore.ErrNotFound)
}

// manyPages moves more than fits into one page of any back end.
func manyPages(t *testing.T, from, to authcore.Store) {
	want := inhabitants(1500)
	for range 1500 {
		want = append(want, authcore.Record{Revocation: &authcore.Revocation{
			Kind: authcore.RevokeToken, ID: uuid(), Until: at(time.Hour),
		}})
	}
	for part := range slices.Chunk(want, 999) {
		wantImported(t, from, part, len(part))
	}
	wantRecords(t, from, start, want)
	stored := 0
	export(t, from, start, func(records []authcore.Record) {
		n, err := to.Import(t.Context(), records)
		wantErr(t, "Import", err, nil)
		stored += n
	})
	if stored != len(want) {
		t.Errorf("%d records stored, want %d", stored, len(want))
	}
	wantRecords(t, to, start, want)
}

// exportBesideWriters: what was there before and does not change is never missed,
// and what comes in between breaks nothing.
func exportBesideWriters(t *testing.T, from, to authcore.Store) {
	want := inhabitants(400)
	wantImported(t, from, want, len(want))
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				user := addUser(t, from, fmt.Sprintf("w%d-%d@example.com", i, n))
				wantErr(t, "LinkIdentity", from.LinkIdentity(t.Context(), newIdentity(user.ID, user.ID)), nil)
				addSession(t, from, user.ID, 0)
				if n%2 == 0 {
					wantErr(t, "DeleteUser", from.DeleteUser(t.Context(), user.ID, at(time.Hour), start), nil)
				}
			}
		})
	}
	var got []authcore.Record
	for range 3 {
		export(t, from, start, func(records []authcore.Record) {
			got = append(got, records...)
			_, err := to.Import(t.Context(), records)
			wantErr(t, "Import", err, nil)
		})
	}
	close(stop)
	writers.Wait()
	lines := plainRecords(got)
	for _, line := range plainRecords(want) {
		if _, found := slices.BinarySearch(lines, line); !found {
			t.Errorf("not exported: %s", line)
		}
	}
}

// importTwice: an import that was interrupted is repeated, and must not undo what
// has happened since.
func importTwice(t *testing.T, from, to authcore.Store) {
	want := settle(t, from)
	records := wantRecords(t, from, at(2*time.Hour), want)
	half := records[:len(records)/2]
	stored, err := to.Import(t.Context(), half)
	wantErr(t, "Import", err, nil)
	wantImported(t, to, records, len(want)-stored)
	wantImported(t, to, records, 0)
	wantImported(t, to, append(slices.Clone(records), records...), 0)

	user := *want[0].User
	user, err = to.UpdateUser(t.Context(), user.ID, func(u *authcore.User) error {
		u.FirstName, u.Email, u.EmailVerified = "Augusta", "countess@example.com", true
		return nil
	})
	wantErr(t, "UpdateUser", err, nil)
	wantImported(t, to, records, 0)
	got, err := to.User(t.Context(), user.ID)
	wantErr(t, "User", err, nil)
	wantSame(t, "user", got, user)
	got, err = to.UserByEmail(t.Context(), "countess@example.com")
	wantErr(t, "UserByEmail", err, nil)
	wantSame(t, "user of the address", got, user)
}

func mergeKeys(t *testing.T, _, to authcore.Store) {
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
	records := []authcore.Record{{Key: &third}, {Key: &first}, {Key: &other}}
	wantImported(t, to, records, 2)
	wantImported(t, to, records, 0)
	clear(third.Private) // the store has its own copy
	third.Private = newKey("3").Private
	want := []authcore.SigningKey{first, second, third}
	updateKeys(t, to, want, want)
}

// importConflicts: of records that contradict what is there nothing is stored,
// nor of those that come with them.
func importConflicts(t *testing.T, _, to authcore.Store) {
	holder := addUser(t, to, "ada@example.com")
	wantErr(t, "LinkIdentity", to.LinkIdentity(t.Context(), newIdentity("1", holder.ID)), nil)
	user := newUser("grace@example.com", true)
	taken, twin, unverified := newUser("ADA@example.com", true), newUser("grace@example.com", true), newUser("ada@example.com", false)
	stolen, shared, sharedAgain := newIdentity("1", user.ID), newIdentity("2", user.ID), newIdentity("2", holder.ID)
	homeless, orphan := newIdentity("3", uuid()), newSession(uuid(), 0)
	key := newKey("a")
	revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: uuid(), Until: at(time.Hour)}
	for name, test := range map[string]struct {
		records []authcore.Record
		want    error
	}{
		"an address of another user":  {[]authcore.Record{{User: &taken}}, authcore.ErrTaken},
		"one address twice":           {[]authcore.Record{{User: &twin}}, authcore.ErrTaken},
		"an identity of another user": {[]authcore.Record{{Identity: &stolen}}, authcore.ErrTaken},
		"one identity twice":          {[]authcore.Record{{Identity: &shared}, {Identity: &sharedAgain}}, authcore.ErrTaken},
		"an identity of nobody":       {[]authcore.Record{{Identity: &homeless}}, authcore.ErrNotFound},
		"a session of nobody":         {[]authcore.Record{{Session: &orphan}}, authcore.ErrNotFound},
	} {
		records := append([]authcore.Record{{User: &user}, {Key: &key}, {Revocation: &revocation}}, test.records...)
		stored, err := to.Import(t.Context(), records)
		wantErr(t, name, err, test.want)
		if stored != 0 {
			t.Errorf("%s: %d records are said to be stored", name, stored)
		}
		_, err = to.User(t.Context(), user.ID)
		wantErr(t, name+": User", err, authcore.ErrNotFound)
		_, err = to.UserByEmail(t.Context(), user.Email)
		wantErr(t, name+": UserByEmail", err, authcore.ErrNotFound)
		wantFeed(t, to, "", nil)
		updateKeys(t, to, nil, nil)
	}
	got, err := to.UserByIdentity(t.Context(), newIdentity("1", ""))
	wantErr(t, "UserByIdentity", err, nil)
	wantSame(t, "user of the identity", got, holder)
	wantImported(t, to, []authcore.Record{{User: &unverified}, {User: &user}, {Identity: &shared}}, 3)
}

func importRace(t *testing.T, _, to authcore.Store) {
	records := inhabitants(20)
	key := newKey("a")
	records = append(records, authcore.Record{Key: &key})
	var mu sync.Mutex
	sum := 0
	together(8, func(int) {
		stored, err := to.Import(t.Context(), records)
		wantErr(t, "Import", err, nil)
		mu.Lock()
		defer mu.Unlock()
		sum += stored
	})
	if sum != len(records) {
		t.Errorf("%d records are said to be stored, want %d", sum, len(records))
	}
	wantRecords(t, to, start, records)
}
