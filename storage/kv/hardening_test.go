package kv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func isError(got, want error) bool {
	if want == nil {
		return got == nil
	}
	return errors.Is(got, want)
}

// Deleting a user with many sessions must not block the other callers for long:
// it was 38 s with 200,000 sessions (CWE-400).
func TestDeleteUserInBatches(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 5*batch/2))
	putRecord(t, store, "own", "ada", time.Hour)
	signUp(t, store, newAccount("ada2", 2))
	engine.largest, engine.steps = 0, 0
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), "ada", revokeUser("ada")), nil)
	if engine.largest > 2*batch || engine.steps != 3 {
		t.Errorf("DeleteUser took %d steps of up to %d writes, want 3 of %d", engine.steps, engine.largest, 2*batch)
	}
	wantEntries(t, engine, accountTable, 4) // those of the other user
	wantEntries(t, engine, emailTable, 1)
	wantEntries(t, engine, domainTable, 1)
	wantEntries(t, engine, identityTable, 1)
	wantEntries(t, engine, recordTable, 0)
	wantEntries(t, engine, ownerTable, 0)
}

// A user is deleted with the first step, also if the server stops before the
// others. The sessions that are left over are unreachable, and Sweep deletes them.
func TestDeleteUserIsInterrupted(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 2*batch))
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	engine.before = func() {
		if steps++; steps == 2 {
			cancel()
		}
	}
	wantErr(t, "DeleteUser", store.DeleteUser(ctx, "ada", revokeUser("ada")), nil)
	engine.before = nil
	wantEntries(t, engine, accountTable, batch)
	_, err := store.Account(t.Context(), authcore.UserRef{ID: "ada"}, origin)
	wantErr(t, "Account of a deleted user", err, authcore.ErrNotFound)
	items, _, err := store.Export(t.Context(), "", origin)
	if err != nil || len(items) != 1 {
		t.Errorf("Export = %d items, error %v, want the revocation", len(items), err)
	}
	_, err = store.Login(t.Context(), authcore.LoginStep{
		Now: origin, Refs: []authcore.UserRef{{ID: "ada"}},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			if found.Accounts[0].User.ID != "" {
				t.Errorf("Login found %+v, want no account", found.Accounts[0])
			}
			return authcore.Account{}, errRefused
		},
	})
	wantErr(t, "Login", err, errRefused)
	engine.damage(t, sessionKey("ada", fmt.Sprintf("session%06d", 2*batch-1)))
	if swept, err := store.Sweep(t.Context(), origin.Add(2*time.Hour)); err != nil || swept.Damaged != 0 {
		t.Errorf("Sweep = %+v, error %v, want no damage", swept, err)
	}
	wantEntries(t, engine, accountTable, 0)
	wantEntries(t, engine, expiryTable, 0)
}

var errRefused = errors.New("refused")

// Sweep proceeds in short steps, past damaged entries, and ends with its context.
func TestSweepInBatches(t *testing.T) {
	store, engine := newTestStore()
	const n = 3 * batch
	for i := range n {
		putRecord(t, store, fmt.Sprintf("%06d", i), "ada", time.Minute)
	}
	engine.damage(t, recordKey(authcore.RecordKey{Kind: "link", Key: "000007"}))
	engine.entries[string([]byte{expiryTable})+"x"] = []byte{}
	engine.entries[string(expiryKey(origin, []byte("?x")))] = []byte{}
	engine.entries[string(expiryKey(origin, accountPrefix("x")))] = []byte{}
	engine.sorted = nil
	engine.largest = 0
	ctx, cancel := context.WithCancel(t.Context())
	engine.before = cancel
	if _, err := store.Sweep(ctx, origin.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep with a context that ends = %v, want context.Canceled", err)
	}
	engine.before = nil
	for range 2 {
		if swept, err := store.Sweep(t.Context(), origin.Add(time.Hour)); err != nil || swept.Damaged != 4 {
			t.Errorf("Sweep = %+v, error %v, want 4 damaged items", swept, err)
		}
	}
	if engine.largest > 4*batch {
		t.Errorf("a step of Sweep has %d writes, want %d at most", engine.largest, 4*batch)
	}
	wantEntries(t, engine, recordTable, 1)
	wantEntries(t, engine, expiryTable, 4)
}

// An item that was prolonged is found again when it expires at last, and entries
// for items that were deleted or replaced go away.
func TestSweepFilesProlongedItemsAgain(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 1))
	for key, expires := range map[string]time.Duration{"prolonged": time.Hour, "shortened": 5 * time.Hour, "endless": time.Hour, "deleted": time.Hour} {
		putRecord(t, store, key, "", expires)
	}
	for key, expires := range map[string]time.Time{
		"prolonged": origin.Add(3 * time.Hour), "shortened": origin.Add(time.Hour), "endless": {},
	} {
		_, err := store.UpdateRecord(t.Context(), authcore.RecordKey{Kind: "link", Key: key}, origin, func(r *authcore.Record) error {
			r.Expires = expires
			return nil
		})
		wantErr(t, "UpdateRecord", err, nil)
	}
	wantErr(t, "DeleteRecord", store.DeleteRecord(t.Context(), authcore.RecordKey{Kind: "link", Key: "deleted"}), nil)
	_, err := store.UpdateAccount(t.Context(), "ada", origin, func(a *authcore.Account) error {
		a.Sessions[0].Expires = origin.Add(3*time.Hour + time.Second/2)
		return nil
	})
	wantErr(t, "UpdateAccount", err, nil)
	for _, step := range []struct {
		after                      time.Duration
		removed, sessions, records int
	}{
		{time.Hour - time.Second, 0, 1, 3},
		{time.Hour, 1, 1, 2},
		{3*time.Hour - time.Second, 0, 1, 2},
		{3*time.Hour + time.Second/4, 1, 1, 1},
		{3*time.Hour + time.Second/2, 1, 0, 1},
		{9 * time.Hour, 0, 0, 1},
	} {
		swept, err := store.Sweep(t.Context(), origin.Add(step.after))
		if err != nil || swept.Removed != step.removed || swept.Damaged != 0 {
			t.Errorf("Sweep after %v = %+v, error %v, want %d removed", step.after, swept, err, step.removed)
		}
		wantEntries(t, engine, accountTable, 2+step.sessions)
		wantEntries(t, engine, recordTable, step.records)
	}
	wantEntries(t, engine, expiryTable, 0)
}

// A refresh of a session writes the session and nothing else.
func TestRefreshWritesOneEntry(t *testing.T) {
	store, engine := newTestStore()
	signUp(t, store, newAccount("ada", 100))
	for name, change := range map[string]func(*authcore.Account){
		"refresh": func(a *authcore.Account) { a.Sessions[7].Expires = a.Sessions[7].Expires.Add(time.Hour) },
		"profile": func(a *authcore.Account) { a.User.FirstName = "Ada" },
		"nothing": func(*authcore.Account) {},
	} {
		_, err := store.UpdateAccount(t.Context(), "ada", origin, func(a *authcore.Account) error {
			change(a)
			return nil
		})
		want := 1
		if name == "nothing" {
			want = 0
		}
		if err != nil || engine.writes != want {
			t.Errorf("%s: UpdateAccount wrote %d entries, error %v, want %d", name, engine.writes, err, want)
		}
	}
}

// A first login is cheap: the user, its address and domain, the session with its time, and the four entries of the proof.
func TestFirstLoginWritesFewEntries(t *testing.T) {
	store, engine := newTestStore()
	putRecord(t, store, "proof", "ada@example.com", time.Hour)
	account := newAccount("ada", 1)
	account.Identities = nil
	_, err := store.Login(t.Context(), authcore.LoginStep{
		Now: origin, Proof: authcore.RecordKey{Kind: "link", Key: "proof"}, Refs: []authcore.UserRef{{EmailKey: "ada@example.com"}},
		Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
	})
	if err != nil || engine.writes > 8 {
		t.Errorf("Login wrote %d entries, error %v, want 8 at most", engine.writes, err)
	}
}

// A step may revoke and lift. The last entry counts, and it stays as long as the
// first one would have.
func TestRevokeAndLiftInOneStep(t *testing.T) {
	store, engine := newTestStore()
	lifted := authcore.Revocation{Kind: authcore.RevokeUser, ID: "ada"}
	signUp(t, store, authcore.Account{
		User: authcore.User{ID: "ada"}, Revocations: []authcore.Revocation{revokeUser("ada"), revokeUser("grace"), lifted},
	})
	signUp(t, store, authcore.Account{User: authcore.User{ID: "eve"}, Revocations: []authcore.Revocation{{Kind: authcore.RevokeUser, ID: "grace"}}})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 2}, {time.Hour - time.Second, 2}, {time.Hour, 0}} {
		if _, err := store.Sweep(t.Context(), origin.Add(step.after)); err != nil {
			t.Errorf("Sweep = %v, want nil", err)
		}
		entries, _, err := store.RevocationsSince(t.Context(), "")
		if err != nil || len(entries) != step.want {
			t.Errorf("RevocationsSince after %v = %v, error %v, want %d", step.after, entries, err, step.want)
		}
		for _, entry := range entries {
			if !entry.Until.IsZero() {
				t.Errorf("RevocationsSince after %v = %v, want lifted entries only", step.after, entry)
			}
		}
	}
	wantEntries(t, engine, feedIDTable, 0)
	wantEntries(t, engine, feedTable, 1) // the last number
}

// UpdateKeys ends although other nodes change the keys all the time.
func TestUpdateKeysGivesUp(t *testing.T) {
	store, engine := newTestStore()
	n := 0
	engine.before = func() {
		n++
		engine.entries[string(rune(keyTable))] = fmt.Appendf(nil, `[{"id":"%d"}]`, n)
	}
	_, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		return append(keys, authcore.SigningKey{ID: "new"}), nil
	})
	if !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "gave up after 100 conflicting updates") {
		t.Errorf("UpdateKeys = %v after %d attempts, want that it gave up", err, n)
	}
	engine.before, n = nil, 0
	engine.entries[string(rune(keyTable))] = []byte("{")
	_, err = store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		n++
		return keys, nil
	})
	if !errors.Is(err, authcore.ErrUnavailable) || n != 0 {
		t.Errorf("UpdateKeys of damaged keys = %v after %d calls, want ErrUnavailable and no new keys", err, n)
	}
}

// A page of users reads a bounded number of entries, whatever the filter.
func TestUsersAreReadInPages(t *testing.T) {
	store, _ := newTestStore()
	const n = 2*maxExamined + 10
	items := make([]authcore.Item, n)
	for i := range items {
		user := authcore.User{
			ID: fmt.Sprintf("%06d", i), Email: fmt.Sprintf("user%d@d%d.example", i, i%2), EmailVerified: true, Created: origin,
		}
		if i == n-1 {
			user.Roles = []string{"last"}
		}
		items[i] = authcore.Item{User: &user}
	}
	if stored, err := store.Import(t.Context(), items); err != nil || stored != n {
		t.Fatalf("Import = %d, error %v, want %d", stored, err, n)
	}
	for name, test := range map[string]struct {
		filter authcore.UserFilter
		pages  int
		want   []string
	}{
		"role":                 {authcore.UserFilter{Role: "last"}, 3, []string{"004009"}},
		"domain and role":      {authcore.UserFilter{Domain: "d1.example", Role: "last"}, 2, []string{"004009"}},
		"few by address":       {authcore.UserFilter{EmailPrefix: "user400"}, 1, []string{"000400", "004000", "004001", "004002", "004003", "004004", "004005", "004006", "004007", "004008", "004009"}},
		"many by address":      {authcore.UserFilter{EmailPrefix: "user", Role: "last"}, 3, []string{"004009"}},
		"address and domain":   {authcore.UserFilter{EmailPrefix: "user400", Domain: "d0.example"}, 1, []string{"000400", "004000", "004002", "004004", "004006", "004008"}},
		"small pages":          {authcore.UserFilter{EmailPrefix: "user4001", Limit: 1}, 1, []string{"004001"}},
		"no such domain":       {authcore.UserFilter{Domain: "d"}, 1, nil},
		"no such address":      {authcore.UserFilter{EmailPrefix: "x"}, 1, nil},
		"part of the address":  {authcore.UserFilter{EmailPrefix: "user4001@d1.exam"}, 1, []string{"004001"}},
		"more than the domain": {authcore.UserFilter{Domain: "d1.example.com"}, 1, nil},
	} {
		var got []string
		pages, cursor := 0, ""
		for pages == 0 || cursor != "" {
			users, next, err := store.Users(t.Context(), test.filter, cursor)
			if err != nil || pages > 9 {
				t.Fatalf("%s: Users = %v on page %d", name, err, pages)
			}
			for _, user := range users {
				got = append(got, user.ID)
			}
			pages, cursor = pages+1, next
		}
		if pages != test.pages || !slices.Equal(got, test.want) {
			t.Errorf("%s: Users = %q on %d pages, want %q on %d", name, got, pages, test.want, test.pages)
		}
	}
}
