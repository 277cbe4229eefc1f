package bolt

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

func user(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: origin}
}

func session(id, userID string) authcore.Session {
	return authcore.Session{
		ID: id, UserID: userID, TokenID: "t-" + id, Created: origin, Expires: origin.Add(time.Hour),
	}
}

func mustEnsure(t *testing.T, store *Store, user authcore.User) {
	t.Helper()
	if _, created, err := store.EnsureUser(t.Context(), user); err != nil || !created {
		t.Fatalf("EnsureUser: created %v, error %v", created, err)
	}
}

// An id is never used again. A candidate with the id of somebody must not replace
// that user, nor a session the session of another user (CWE-639).
func TestIDsAreNotReplaced(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	mustEnsure(t, store, user("2", "grace@example.com"))
	if _, _, err := store.EnsureUser(t.Context(), user("1", "mallory@example.com")); !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureUser: error %v", err)
	}
	identity := authcore.Identity{Provider: "github", Subject: "1"}
	_, _, err := store.EnsureIdentity(t.Context(), identity, user("1", ""), true)
	if !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureIdentity: error %v", err)
	}
	if err := store.PutSession(t.Context(), session("s", "1")); err != nil {
		t.Fatal(err)
	}
	if err := store.PutSession(t.Context(), session("s", "2")); !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("PutSession: error %v", err)
	}
}

// A change that touches what it must not touch has no effect there: disabling has
// to end the sessions, which a mere field would not.
func TestChangeCannotDisable(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	got, err := store.UpdateUser(t.Context(), "1", func(u *authcore.User) error {
		u.ID, u.Disabled = "2", true
		return nil
	})
	if err != nil || got.ID != "1" || got.Disabled {
		t.Errorf("UpdateUser: %+v, error %v", got, err)
	}
}

// A session that outlived the disabling of its user, in a file that was edited or
// restored piecemeal, is not prolonged (CWE-613).
func TestRenewalAsksForTheUser(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	if err := store.PutSession(t.Context(), session("s", "1")); err != nil {
		t.Fatal(err)
	}
	edit(t, store, func(x *tx) error {
		disabled := user("1", "ada@example.com")
		disabled.Disabled = true
		return x.putUser(disabled)
	})
	_, err := store.RenewSession(t.Context(), "s", "t-s", "new", origin.Add(2*time.Hour), origin)
	if !errors.Is(err, authcore.ErrUserInactive) {
		t.Errorf("RenewSession: error %v", err)
	}
}

func edit(t *testing.T, store *Store, run func(*tx) error) {
	t.Helper()
	if err := change(t.Context(), store, run); err != nil {
		t.Fatalf("edit: %v", err)
	}
}

// What somebody else chose, a subject or an address, may be longer than a key of
// the engine. The answer is an error, and nothing of the step stays.
func TestOversizedParts(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	long := strings.Repeat("x", 1<<16)
	identity := authcore.Identity{Provider: "github", Subject: long}
	_, _, err := store.EnsureIdentity(t.Context(), identity, user("1", "ada@example.com"), false)
	if !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("EnsureIdentity: error %v", err)
	}
	if _, err := store.UserByEmail(t.Context(), "ada@example.com"); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("half of the step is there: error %v", err)
	}
	if err := store.PutLink(t.Context(), authcore.Link{EmailKey: long}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutLink: error %v", err)
	}
	for step, err := range map[string]error{
		"User":        second(store.User(t.Context(), long)),
		"UserByEmail": second(store.UserByEmail(t.Context(), long)),
		"TakeCode":    second(store.TakeCode(t.Context(), long, authcore.Digest{}, origin)),
		"empty id":    second(store.User(t.Context(), "")),
	} {
		if !errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("%s: error %v", step, err)
		}
	}
	mustEnsure(t, store, user("2", "ada@example.com"))
}

func second[T any](_ T, err error) error { return err }

// A damaged entry is a failure of the engine, never an answer, and what stands in
// it is not cited (CWE-209). A value without a JSON form is the same.
func TestDamagedEntries(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	ctx := t.Context()
	mustEnsure(t, store, user("1", "ada@example.com"))
	mustEnsure(t, store, user("2", "grace@example.com"))
	if err := store.PutSession(ctx, session("s", "1")); err != nil {
		t.Fatal(err)
	}
	secret, identity := authcore.Digest{1}, authcore.Identity{Provider: "github", Subject: "1", UserID: "2"}
	edit(t, store, func(x *tx) error {
		junk := []byte(`{"id":7,"created":"secret","expires":"secret","secret":"secret"}`)
		return errors.Join(
			x.put(usersTable, []byte("1"), junk),
			x.put(linksTable, secret[:], junk),
			x.put(linksByEmailTable, []byte("ada@example.com"), secret[:]),
			x.put(flowsTable, secret[:], junk),
			x.put(sessionsTable, []byte("s"), junk),
			x.put(identitiesTable, identityKey(identity), junk),
			x.put(identitiesByUserTable, append(joinKey("2"), identityKey(identity)...), nil),
			x.put(revocationsTable, numberKey(1), junk),
			x.put(revocationsByIDTable, joinKey("user", "2"), numberKey(7)),
			x.put(keysTable, keysKey, junk),
			x.bucket(revocationsTable).SetSequence(1),
			x.expire(origin, class('?'), nil),
		)
	})
	everyone := func(authcore.Session) bool { return true }
	_, _, ensureErr := store.EnsureUser(ctx, user("3", "ada@example.com"))
	_, _, identityErr := store.EnsureIdentity(ctx, identity, user("3", "ada@example.com"), true)
	_, _, joinErr := store.EnsureIdentity(
		ctx, authcore.Identity{Provider: "github", Subject: "2"}, user("3", "ada@example.com"), true)
	_, _, feedErr := store.RevocationsSince(ctx, "")
	exported := func(cursor string) error {
		_, _, err := store.Export(ctx, cursor, origin)
		return err
	}
	errs := map[string]error{
		"User":             second(store.User(ctx, "1")),
		"EnsureUser":       ensureErr,
		"UpdateUser":       second(store.UpdateUser(ctx, "1", func(*authcore.User) error { return nil })),
		"SetDisabled":      second(store.SetDisabled(ctx, "1", true, origin, origin)),
		"lift":             second(store.SetDisabled(ctx, "2", false, origin, origin)),
		"DeleteUser":       store.DeleteUser(ctx, "1", origin, origin),
		"UserByIdentity":   second(store.UserByIdentity(ctx, identity)),
		"EnsureIdentity":   identityErr,
		"join":             joinErr,
		"LinkIdentity":     store.LinkIdentity(ctx, identity),
		"IdentitiesOf":     second(store.IdentitiesOf(ctx, "2")),
		"Export of users":  exported(""),
		"Export of feed":   exported("revocation:0"),
		"Import":           second(store.Import(ctx, []authcore.Record{{Key: &authcore.SigningKey{ID: "k"}}})),
		"ReplaceIdentity":  second(store.ReplaceIdentity(ctx, identity, nil)),
		"UnlinkIdentity":   store.UnlinkIdentity(ctx, identity),
		"UpdateFlow":       second(store.UpdateFlow(ctx, secret, origin.Add(-1), func(*authcore.Flow) error { return nil })),
		"TakeLink":         second(store.TakeLink(ctx, secret, origin)),
		"TakeCode":         second(store.TakeCode(ctx, "ada@example.com", secret, origin)),
		"TakeFlow":         second(store.TakeFlow(ctx, secret, origin)),
		"PutSession":       store.PutSession(ctx, session("s2", "1")),
		"SessionsOf":       second(store.SessionsOf(ctx, "1", origin)),
		"RenewSession":     second(store.RenewSession(ctx, "s", "", "", origin, origin)),
		"EndSessions":      second(store.EndSessions(ctx, "1", everyone, origin)),
		"MarkSeen":         store.MarkSeen(ctx, map[string]time.Time{"s": origin}),
		"RevocationsSince": feedErr,
		"Sweep":            store.Sweep(ctx, origin.Add(time.Second)),
		"UpdateKeys": second(store.UpdateKeys(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
			return keys, nil
		})),
		"a year without JSON form": store.PutFlow(ctx, authcore.Flow{Expires: origin.AddDate(9000, 0, 0)}),
	}
	for step, err := range errs {
		if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("%s: error %v", step, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s cites the entry: %v", step, err)
		}
	}
}

// Sweep must not hold up those who write: it goes in steps, and ends with its
// context between two of them.
func TestSweepIsDividedAndEndsWithItsContext(t *testing.T) {
	db := openTemp(t)
	store := realm(t, db, "main")
	edit(t, store, func(x *tx) error {
		for i := range 2*sweepSteps + 1 {
			if err := x.expire(origin, flowClass, numberKey(uint64(i))); err != nil {
				return err
			}
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	commit, commits := db.writer.commit, 0
	db.writer.commit = func(engine *bbolt.Tx) error {
		commits++
		if commits == 2 {
			cancel()
		}
		return commit(engine)
	}
	if err := store.Sweep(ctx, origin.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep: error %v", err)
	}
	if err := store.Sweep(t.Context(), origin.Add(time.Hour)); err != nil || commits != 3 {
		t.Errorf("Sweep: error %v after %d commits, want 3", err, commits)
	}
}

// A cursor that the file never gave out, from before a backup was restored or
// from a damaged cache, must not hide revocations.
func TestForeignCursorsGetEverything(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	if _, err := store.SetDisabled(t.Context(), "1", true, origin.Add(time.Hour), origin); err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []string{"", "0", "2", "18446744073709551615", "-1", "x", "1x", strings.Repeat("9", 99)} {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil || len(entries) != 1 || next != "1" {
			t.Errorf("cursor %q: %v, next %q, error %v", cursor, entries, next, err)
		}
	}
	if entries, _, err := store.RevocationsSince(t.Context(), "1"); err != nil || len(entries) != 0 {
		t.Errorf("after all: %v, error %v", entries, err)
	}
}

func TestKeysKeepTheirOrder(t *testing.T) {
	times := []time.Time{
		{},
		time.Unix(-1, 999_999_999),
		time.Unix(0, 0),
		time.Unix(0, 1),
		origin,
		origin.Add(time.Nanosecond),
		time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if !slices.IsSortedFunc(times, func(a, b time.Time) int { return bytes.Compare(timeKey(a), timeKey(b)) }) {
		t.Error("the keys of times are not in the order of the times")
	}
	if len(timeKey(origin)) != timeKeyLength {
		t.Errorf("a key of %d bytes", len(timeKey(origin)))
	}
}

// Two lists of parts never share a key, and a list is a prefix of none but its
// own continuations.
func FuzzJoinKey(f *testing.F) {
	f.Add("a", "b", "ab", "")
	f.Add("\x01", "a", "", "\x01a")
	f.Add(strings.Repeat("x", 128), "", strings.Repeat("x", 127), "x")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		same := a == c && b == d
		if bytes.Equal(joinKey(a, b), joinKey(c, d)) != same {
			t.Errorf("joinKey(%q, %q) and joinKey(%q, %q)", a, b, c, d)
		}
		if bytes.HasPrefix(joinKey(a, b), joinKey(c)) != (a == c) {
			t.Errorf("joinKey(%q) as prefix of joinKey(%q, %q)", c, a, b)
		}
	})
}
