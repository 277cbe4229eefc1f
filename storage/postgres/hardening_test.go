package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// nasty is text that ends, comments out, nests or overflows something in some
// protocol mode (CWE-89).
var nasty = []string{
	`'; DROP SCHEMA edgeauth CASCADE; --`, `' OR '1'='1`, `\'; SELECT pg_sleep(10); --`, `"; --`, `$1`, `$$;$$`, `%s`, `\\`, `\x00`,
	`E'\''`, `/* */`, `{"a":1}`, `NULL`, `{a,b}`, `"{a","b}"`, `\N`, `@.users`, "line\nbreak\r\n\t", "𝄞é", "\u202e", `'''`, strings.Repeat("'", 99),
}

// Whatever stands in a string is data: it comes back as it was, finds itself and
// nothing else.
func TestStringsAreData(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for _, mode := range []string{"cache_statement", "exec", "simple_protocol"} {
		db := openDSN(t, dsn+"&default_query_exec_mode="+mode)
		for i, text := range nasty {
			t.Run(fmt.Sprint(mode, i), func(t *testing.T) { keepsText(t, realm(t, db, mode+text), text) })
		}
	}
}

func keepsText(t *testing.T, store *Store, text string) {
	t.Helper()
	ctx := t.Context()
	mustEnsure(t, store, user("other", "ada@example.com"))
	want := authcore.User{
		ID: text, Email: text, FirstName: text, LastName: text, AvatarURL: text, Nickname: text, Created: origin,
	}
	mustEnsure(t, store, want)
	if got, err := store.User(ctx, text); err != nil || got != want {
		t.Errorf("user %+v, error %v", got, err)
	}
	identity := authcore.Identity{Provider: text, Issuer: text, Subject: text, UserID: text, Email: text, Created: origin}
	signedIn := authcore.Session{
		ID: text, UserID: text, TokenID: text, Client: text, Method: text, IP: text, UserAgent: text,
		Created: origin, LastSeen: origin, Expires: origin.Add(time.Hour),
	}
	flow := authcore.Flow{Client: text, Provider: text, RedirectURI: text, Nonce: text, Verifier: text, Expires: origin.Add(time.Hour)}
	link := authcore.Link{EmailKey: text, Email: text, Created: origin, Expires: origin.Add(time.Hour)}
	key := authcore.SigningKey{ID: text, Algorithm: text, Private: []byte(text), Created: origin, Signs: origin}
	for _, err := range []error{
		store.LinkIdentity(ctx, identity), store.PutSession(ctx, signedIn), store.PutFlow(ctx, flow), store.PutLink(ctx, link),
		store.MarkSeen(ctx, map[string]time.Time{text: origin.Add(time.Minute)}),
		second(store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) { return []authcore.SigningKey{key}, nil })),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := store.IdentitiesOf(ctx, text); err != nil || len(got) != 1 || got[0] != identity {
		t.Errorf("identities %+v, error %v", got, err)
	}
	if got, err := store.TakeFlow(ctx, flow.State, origin); err != nil || got != flow {
		t.Errorf("flow %+v, error %v", got, err)
	}
	if _, err := store.TakeCode(ctx, "other", link.Code, origin); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("the code of another address: error %v", err)
	}
	if got, err := store.TakeCode(ctx, text, link.Code, origin); err != nil || got != link {
		t.Errorf("link %+v, error %v", got, err)
	}
	signedIn.LastSeen = origin.Add(time.Minute)
	if got, err := store.SessionsOf(ctx, text, origin); err != nil || len(got) != 1 || got[0] != signedIn {
		t.Errorf("sessions %+v, error %v", got, err)
	}
	for want := range 2 {
		got, err := store.Count(ctx, origin, []authcore.Counter{{Limit: text, Party: text, Window: time.Hour}})
		if err != nil || got[0].N != want+1 {
			t.Errorf("count %v, error %v", got, err)
		}
	}
	if err := store.DeleteUser(ctx, text, origin.Add(time.Hour), origin); err != nil {
		t.Fatal(err)
	}
	if seen, _ := follow(t, store, ""); fmt.Sprint(seen) != fmt.Sprint([]string{text, text}) {
		t.Errorf("revoked %q", seen)
	}
	if _, err := store.User(ctx, "other"); err != nil {
		t.Errorf("the other user: %v", err)
	}
}

// PostgreSQL keeps no NUL and nothing but UTF-8. In text that identifies something,
// two must not become one, and a lookup finds nothing (CWE-176); in text that is
// shown, such as the user agent that a client chose, a login must not fail by it.
func TestUnkeepableText(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	ctx := t.Context()
	mustEnsure(t, store, user("u", "ada@example.com"))
	for _, text := range []string{"a\x00b", "a\xffb", "\x00", string([]byte{0xed, 0xa0, 0x80})} {
		id := fmt.Sprintf("%x", text)
		shown := user(id, "")
		shown.FirstName, shown.Nickname = text, text
		if got, created, err := store.EnsureUser(ctx, shown); err != nil || !created || !storable(got.FirstName) {
			t.Errorf("EnsureUser: %+v, error %v", got, err)
		}
		signedIn := session(id, "u")
		signedIn.UserAgent, signedIn.IP = text, text
		if err := store.PutSession(ctx, signedIn); err != nil {
			t.Errorf("PutSession: %v", err)
		}
		if err := store.PutFlow(ctx, authcore.Flow{Nonce: text, Expires: origin}); err != nil {
			t.Errorf("PutFlow: %v", err)
		}
		bad := authcore.Identity{Provider: "p", Subject: text, UserID: "u"}
		for step, got := range map[string][2]error{
			"User":            {second(store.User(ctx, text)), authcore.ErrNotFound},
			"UserByEmail":     {second(store.UserByEmail(ctx, text)), authcore.ErrNotFound},
			"UserByIdentity":  {second(store.UserByIdentity(ctx, bad)), authcore.ErrNotFound},
			"UnlinkIdentity":  {store.UnlinkIdentity(ctx, bad), authcore.ErrNotFound},
			"ReplaceIdentity": {second(store.ReplaceIdentity(ctx, bad, nil)), authcore.ErrNotFound},
			"by a bad one":    {second(store.ReplaceIdentity(ctx, authcore.Identity{}, []authcore.Identity{bad})), authcore.ErrUnavailable},
			"LinkIdentity":    {store.LinkIdentity(ctx, bad), authcore.ErrUnavailable},
			"of nobody":       {store.LinkIdentity(ctx, authcore.Identity{UserID: text}), authcore.ErrNotFound},
			"TakeCode":        {second(store.TakeCode(ctx, text, authcore.Digest{}, origin)), authcore.ErrNotFound},
			"PutLink":         {store.PutLink(ctx, authcore.Link{EmailKey: text}), authcore.ErrUnavailable},
			"UpdateUser":      {second(store.UpdateUser(ctx, text, func(*authcore.User) error { return nil })), authcore.ErrNotFound},
			"SetDisabled":     {second(store.SetDisabled(ctx, text, true, origin, origin)), authcore.ErrNotFound},
			"DeleteUser":      {store.DeleteUser(ctx, text, origin, origin), authcore.ErrNotFound},
			"PutSession":      {store.PutSession(ctx, session(text, "u")), authcore.ErrUnavailable},
			"nobody's":        {store.PutSession(ctx, session("x", text)), authcore.ErrUserInactive},
			"RenewSession":    {second(store.RenewSession(ctx, text, "t", "n", origin, origin)), authcore.ErrNotFound},
			"new token":       {second(store.RenewSession(ctx, "s", "t", text, origin, origin)), authcore.ErrUnavailable},
			"SessionsOf":      {second(store.SessionsOf(ctx, text, origin)), nil},
			"IdentitiesOf":    {second(store.IdentitiesOf(ctx, text)), nil},
			"EndSessions":     {second(store.EndSessions(ctx, text, everySession, origin)), nil},
			"MarkSeen":        {store.MarkSeen(ctx, map[string]time.Time{text: origin}), nil},
			"Count":           {second(store.Count(ctx, origin, []authcore.Counter{{Limit: "l", Party: text, Window: 1}})), nil},
			"Import": {second(store.Import(ctx, []authcore.Record{{Revocation: &authcore.Revocation{
				Kind: authcore.RevokeToken, ID: text,
			}}})), authcore.ErrUnavailable},
			"UpdateKeys": {second(store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
				return []authcore.SigningKey{{ID: text}}, nil
			})), authcore.ErrUnavailable},
		} {
			if !errors.Is(got[0], got[1]) || got[1] == nil && got[0] != nil {
				t.Errorf("%s of %q: error %v, want %v", step, text, got[0], got[1])
			}
		}
	}
	if _, err := store.db.Realm(ctx, "a\x00b"); err == nil {
		t.Error("a realm with a NUL")
	}
	// One user by two spellings of what cannot be kept would be two people in one
	// account.
	a, err := store.Count(ctx, origin, []authcore.Counter{{Party: "\xff", Window: time.Hour}, {Party: "\xfe", Window: time.Hour}})
	if err != nil || a[0].N != 1 || a[1].N != 1 {
		t.Errorf("counters: %v, error %v", a, err)
	}
}

// What somebody else chose, a subject or an address, may be longer than a key of an
// index. The answer is an error, which does not cite it, and nothing of the step
// stays. What is only shown may be of any length.
func TestHugeValues(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	ctx := t.Context()
	random := make([]byte, 0, 1<<16) // PostgreSQL packs what repeats
	for i := range 1 << 12 {
		digest := authcore.DigestOf("huge", fmt.Sprint(i))
		random = fmt.Appendf(random, "%x", digest[:8])
	}
	long := string(random)
	identity := authcore.Identity{Provider: "github", Subject: long}
	_, _, err := store.EnsureIdentity(ctx, identity, user("1", "ada@example.com"), false)
	if !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), long[:64]) {
		t.Errorf("EnsureIdentity: error %.200v", err)
	}
	if _, err := store.UserByEmail(ctx, "ada@example.com"); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("half of the step is there: error %v", err)
	}
	if err := store.PutLink(ctx, authcore.Link{EmailKey: long}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutLink: error %.200v", err)
	}
	for step, err := range map[string]error{
		"User":        second(store.User(ctx, long)),
		"UserByEmail": second(store.UserByEmail(ctx, long)),
		"TakeCode":    second(store.TakeCode(ctx, long, authcore.Digest{}, origin)),
		"empty id":    second(store.User(ctx, "")),
	} {
		if !errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("%s: error %.200v", step, err)
		}
	}
	shown := user("2", "ada@example.com")
	shown.FirstName = strings.Repeat(long, 16) // a megabyte
	mustEnsure(t, store, shown)
	if got, err := store.User(ctx, "2"); err != nil || got != shown {
		t.Errorf("a name of %d bytes came back with %d, error %v", len(shown.FirstName), len(got.FirstName), err)
	}
	for want := range 2 {
		got, err := store.Count(ctx, origin, []authcore.Counter{{Party: long, Window: time.Hour}})
		if err != nil || got[0].N != want+1 {
			t.Errorf("count %v, error %.200v", got, err)
		}
	}
	if _, _, err := store.EnsureUser(ctx, authcore.User{ID: "3", Created: time.Date(400_000, 1, 1, 0, 0, 0, 0, time.UTC)}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("a time beyond those of the database: error %v", err)
	}
}

// An id is never used again. A candidate with the id of somebody must not replace
// that user, nor a session the session of another user (CWE-639).
func TestIDsAreNotReplaced(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	mustEnsure(t, store, user("2", "grace@example.com"))
	mustEnsure(t, store, user("3", ""))
	for _, candidate := range []authcore.User{user("1", "mallory@example.com"), user("1", ""), user("3", "")} {
		if _, _, err := store.EnsureUser(t.Context(), candidate); !errors.Is(err, authcore.ErrTaken) {
			t.Errorf("EnsureUser: error %v", err)
		}
		identity := authcore.Identity{Provider: "github", Subject: "1"}
		if _, _, err := store.EnsureIdentity(t.Context(), identity, candidate, true); !errors.Is(err, authcore.ErrTaken) {
			t.Errorf("EnsureIdentity: error %v", err)
		}
	}
	if got, created, err := store.EnsureUser(t.Context(), user("1", "grace@example.com")); err != nil || created || got.ID != "2" {
		t.Errorf("the holder of the address: %+v, created %v, error %v", got, created, err)
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
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	got, err := store.UpdateUser(t.Context(), "1", func(u *authcore.User) error {
		u.ID, u.Disabled = "2", true
		return nil
	})
	if err != nil || got.ID != "1" || got.Disabled {
		t.Errorf("UpdateUser: %+v, error %v", got, err)
	}
}

// A session that outlived the disabling of its user, in a database that was edited
// by hand, is not prolonged (CWE-613).
func TestRenewalAsksForTheUser(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	if err := store.PutSession(t.Context(), session("s", "1")); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, `UPDATE edgeauth.users SET disabled = true`)
	_, err := store.RenewSession(t.Context(), "s", "t-s", "new", origin.Add(2*time.Hour), origin)
	if !errors.Is(err, authcore.ErrUserInactive) {
		t.Errorf("RenewSession: error %v", err)
	}
	if seen, _ := follow(t, store, ""); len(seen) != 0 {
		t.Errorf("revoked %v", seen)
	}
}

// Settings of the database that somebody else chose change nothing: another level of
// isolation would hide from a call what was committed while it waited, so that a
// session outlives the disabling of its user (CWE-362).
func TestSettingsOfTheDatabase(t *testing.T) {
	server := pgtest.Start(t)
	for level, settings := range map[string][]string{
		"serializable":    nil,
		"repeatable read": {`DateStyle = 'German'`, `standard_conforming_strings = off`, `synchronous_commit = off`},
	} {
		t.Run(level, func(t *testing.T) {
			dsn := server.Database(t)
			for _, setting := range append(settings, `default_transaction_isolation = '`+level+`'`) {
				pgtest.Exec(t, dsn, `DO $$ BEGIN EXECUTE format($q$ALTER DATABASE %I SET `+setting+`$q$, current_database()); END $$`)
			}
			db := openDSN(t, dsn)
			db.timeout = time.Minute
			var realms atomic.Int64
			storagetest.Run(t, func(t *testing.T) authcore.Store {
				t.Helper()
				return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
			})
		})
	}
}

// The suite also passes where statements are not prepared, as behind a pooler that
// hands a connection to another client after each transaction.
func TestStoreWithoutPreparedStatements(t *testing.T) {
	server := pgtest.Start(t)
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			db := openDSN(t, server.Database(t)+"&default_query_exec_mode="+mode)
			var realms atomic.Int64
			storagetest.Run(t, func(t *testing.T) authcore.Store {
				t.Helper()
				return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
			})
		})
	}
}

// A connection to a pooler is another one after each transaction: nothing that a
// session keeps can be relied on. Notifications do not pass it, so that the watch of
// this test goes around; nodes behind a pooler poll.
func TestStoreBehindAPooler(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	direct, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := openDSN(t, server.Through(dsn, server.Pooler(t))+"&default_query_exec_mode=exec", WithMaxConnections(20))
	db.listen = direct
	var realms atomic.Int64
	storagetest.Run(t, func(t *testing.T) authcore.Store {
		t.Helper()
		return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
	})
}

// A function that panics ends its own call, and the rows that it had locked are free
// again.
func TestPanickingChange(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t), WithMaxConnections(1)), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was hidden")
			}
		}()
		_, _ = store.UpdateUser(t.Context(), "1", func(*authcore.User) error { panic("change") })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := store.UpdateUser(ctx, "1", func(u *authcore.User) error { u.FirstName = "Ada"; return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A login is under way when its user is disabled. Disabling waits for it and must
// then see its session, whatever the level of isolation of the database is: a
// snapshot from before the wait would leave it alive (CWE-362, CWE-613).
func TestDisablingSeesWhatItWaitedFor(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	pgtest.Exec(t, dsn, `DO $$ BEGIN EXECUTE format(
		'ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$`)
	for name, end := range map[string]func(*Store) error{
		"SetDisabled": func(s *Store) error {
			return second(s.SetDisabled(t.Context(), "u", true, origin.Add(time.Hour), origin))
		},
		"DeleteUser":  func(s *Store) error { return s.DeleteUser(t.Context(), "u", origin.Add(time.Hour), origin) },
		"EndSessions": func(s *Store) error { return second(s.EndSessions(t.Context(), "u", everySession, origin)) },
	} {
		t.Run(name, func(t *testing.T) {
			db := openDSN(t, dsn)
			db.timeout = time.Minute
			store := realm(t, db, name)
			mustEnsure(t, store, user("u", ""))
			login, err := db.pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := login.Exec(t.Context(), db.tables.in(putSession), store.sessionArguments(session("s", "u"))...); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- end(store) }()
			waitForLock(t, db)
			if err := login.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if live, err := store.SessionsOf(t.Context(), "u", origin); err != nil || len(live) != 0 {
				t.Errorf("live: %v, error %v", live, err)
			}
			if seen, _ := follow(t, store, ""); len(seen) == 0 || seen[0] != "s" {
				t.Errorf("revoked: %v", seen)
			}
		})
	}
}

// waitForLock waits until one call waits for another one.
func waitForLock(t *testing.T, db *DB) {
	t.Helper()
	servertest.Eventually(t, "the later call waits for the open one", func() bool {
		var waiting int
		err := db.pool.QueryRow(t.Context(),
			`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&waiting)
		return err == nil && waiting == 1
	})
}
