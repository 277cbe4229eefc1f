package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// hostile is text that ends, comments out, nests or overflows something in one of
// the query modes (CWE-89).
var hostile = []string{
	`'; DROP SCHEMA edgeauth CASCADE; --`, `' OR '1'='1`, `\'; SELECT pg_sleep(10); --`, `"; --`, `$1`, `$$;$$`, `%s`, `\\`, `\x00`,
	`E'\''`, `/* */`, `{"a":1}`, `NULL`, `{a,b}`, `"{a","b}"`, `\N`, `@.users`, `@id`, "line\nbreak\r\n\t", "𝄞é", "\u202e", `'''`, strings.Repeat("'", 99),
}

// Text is data: it is returned as it was stored, finds itself and nothing else.
func TestStringsAreData(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for _, mode := range []string{"cache_statement", "exec", "simple_protocol"} {
		db := openDSN(t, dsn+"&default_query_exec_mode="+mode)
		for i, text := range hostile {
			t.Run(fmt.Sprint(mode, i), func(t *testing.T) { keepsText(t, realm(t, db, mode+text), text) })
		}
	}
}

func keepsText(t *testing.T, store *Store, text string) {
	t.Helper()
	ctx := t.Context()
	signUp(t, store, account("other", "ada@example.com"))
	want := authcore.Account{
		User: authcore.User{
			ID: text, Email: text, FirstName: text, LastName: text, AvatarURL: text, Nickname: text, Roles: []string{text}, Created: origin,
		},
		Identities: []authcore.Identity{{Provider: text[:min(len(text), 64)], Issuer: text, Subject: text, Email: text, PublicID: text, Created: origin}},
		Sessions: []authcore.Session{{
			ID: text, Client: text, Method: text, IP: text, UserAgent: text, Created: origin, Expires: origin.Add(time.Hour),
			Token: authcore.SessionToken{ID: text}, Superseded: []authcore.SupersededToken{{ID: text}},
		}},
	}
	if len(text) > 64 {
		want.Identities[0].Provider = text[:9]
	}
	want = signUp(t, store, want)
	for _, ref := range []authcore.UserRef{{ID: text}, {Identity: want.Identities[0].Key()}} {
		if got, err := store.Account(ctx, ref, origin); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Account(%+v) = %+v, error %v, want %+v", ref, got, err, want)
		}
	}
	if _, err := store.User(ctx, authcore.UserRef{EmailKey: text}); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("User by the address %q: error %v, want %v", text, err, authcore.ErrNotFound)
	}
	key := authcore.SigningKey{ID: text, Algorithm: text, Private: []byte(text), Created: origin, Signs: origin}
	for call, err := range map[string]error{
		"MarkSeen": store.MarkSeen(ctx, map[authcore.SessionRef]time.Time{{UserID: text, ID: text}: origin.Add(time.Minute)}),
		"UpdateKeys": second(store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
			return []authcore.SigningKey{key}, nil
		})),
		"Users": func() error {
			_, _, err := store.Users(ctx, authcore.UserFilter{EmailPrefix: text, Domain: text}, text)
			return err
		}(),
	} {
		if err != nil {
			t.Errorf("%s: error %v", call, err)
		}
	}
	for want := range 2 {
		got, err := store.Count(ctx, origin, []authcore.Counter{{Limit: text, Party: text, Window: time.Hour, Add: 1}})
		if err != nil || got[0].N != want+1 {
			t.Errorf("Count = %v, error %v, want %d", got, err, want+1)
		}
	}
	if err := store.DeleteUser(ctx, text, authcore.Revocation{Kind: authcore.RevokeUser, ID: text, Until: origin.Add(time.Hour)}); err != nil {
		t.Errorf("DeleteUser: error %v", err)
	}
	if seen, _ := follow(t, store, ""); len(seen) != 1 || seen[0] != text {
		t.Errorf("RevocationsSince = %q, want %q", seen, text)
	}
	if _, err := store.User(ctx, authcore.UserRef{ID: "other"}); err != nil {
		t.Errorf("User other: error %v", err)
	}
}

// unkeepable is text that PostgreSQL cannot keep as it is.
var unkeepable = []string{"a\x00b", "a\xffb", "\x00", "\xed\xa0\x80"}

// A client chooses names and user agents: no step fails by them. NUL is kept, and
// invalid UTF-8 is replaced.
func TestUnkeepableTextIsShown(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for _, mode := range queryModes {
		store := realm(t, openDSN(t, dsn+"&default_query_exec_mode="+mode), mode)
		for i, text := range unkeepable {
			want := account(fmt.Sprint(i), "")
			want.User.FirstName, want.User.Roles = text, []string{text}
			want.Sessions[0].UserAgent, want.Sessions[0].IP = text, text
			stored := signUp(t, store, want)
			got, err := store.Account(t.Context(), authcore.UserRef{ID: want.User.ID}, origin)
			if err != nil || got.User.FirstName != strings.ToValidUTF8(text, "\ufffd") && len(got.User.FirstName) < len(text) {
				t.Errorf("%s: Account with the name %q = %q, error %v", mode, text, got.User.FirstName, err)
			}
			if fmt.Sprint(got) != fmt.Sprint(stored) {
				t.Errorf("%s: Login returned %+v, Account returns %+v", mode, stored, got)
			}
		}
	}
}

// Two texts that identify something must not become one, and a lookup finds nothing
// (CWE-176). Text that is too long for an index is refused. No error quotes it
// (CWE-209), and nothing of the step remains.
func TestUnkeepableKeys(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	ctx := t.Context()
	signUp(t, store, account("u", "ada@example.com"))
	long := strings.Repeat("0123456789abcdef", 4096)
	for _, text := range append(unkeepable, long) {
		revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: text}
		key := authcore.RecordKey{Kind: "link", Key: text}
		for call, err := range map[string]error{
			"User by ID":       second(store.User(ctx, authcore.UserRef{ID: text})),
			"User by address":  second(store.User(ctx, authcore.UserRef{EmailKey: text})),
			"User by identity": second(store.User(ctx, authcore.UserRef{Identity: authcore.IdentityKey{Provider: "p", Subject: text}})),
			"Account":          second(store.Account(ctx, authcore.UserRef{ID: text}, origin)),
			"UpdateAccount":    second(store.UpdateAccount(ctx, text, origin, func(*authcore.Account) error { return nil })),
			"DeleteUser":       store.DeleteUser(ctx, text, revocation),
			"Record":           second(store.Record(ctx, key, origin)),
			"TakeRecord":       second(store.TakeRecord(ctx, key, origin)),
			"Login": second(store.Login(ctx, authcore.LoginStep{Now: origin, Proof: key, Decide: func(authcore.LoginFound) (authcore.Account, error) {
				return authcore.Account{}, nil
			}})),
		} {
			if !errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("%s with %.20q: error %.200v, want %v", call, text, err, authcore.ErrNotFound)
			}
		}
		for what, change := range map[string]func(*authcore.Account){
			"user":       func(a *authcore.Account) { a.User.ID = text },
			"identity":   func(a *authcore.Account) { a.Identities = []authcore.Identity{{Provider: "p", Subject: text}} },
			"session":    func(a *authcore.Account) { a.Sessions[0].ID = text },
			"revocation": func(a *authcore.Account) { a.Revocations = []authcore.Revocation{revocation} },
		} {
			bad := account("new", "grace@example.com")
			change(&bad)
			_, err := store.Login(ctx, authcore.LoginStep{Now: origin, Decide: func(authcore.LoginFound) (authcore.Account, error) { return bad, nil }})
			if err == nil || errors.Is(err, authcore.ErrUnavailable) || errorsContain(err, text) {
				t.Errorf("Login with the %s %.20q: error %.200v, want a refusal", what, text, err)
			}
		}
		if err := store.DeleteRecord(ctx, key); err != nil {
			t.Errorf("DeleteRecord(%.20q): error %v", text, err)
		}
		if err := store.MarkSeen(ctx, map[authcore.SessionRef]time.Time{{UserID: text, ID: text}: origin}); err != nil {
			t.Errorf("MarkSeen(%.20q): error %v", text, err)
		}
	}
	if _, err := store.User(ctx, authcore.UserRef{EmailKey: "grace@example.com"}); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("User after refused logins: error %v, want %v", err, authcore.ErrNotFound)
	}
	tallies, err := store.Count(ctx, origin, []authcore.Counter{{Party: "\xff", Window: time.Hour, Add: 1}, {Party: "\xfe", Window: time.Hour, Add: 1}})
	if err != nil || tallies[0].N != 1 || tallies[1].N != 1 {
		t.Errorf("Count of two parties = %v, error %v, want 1 each", tallies, err)
	}
}

// Expired rows whose document is damaged are counted and stay, and Sweep deletes the
// rows after them.
func TestSweepSkipsDamage(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	for _, key := range []string{"a", "b", "c"} {
		expired := record(key, "")
		expired.Expires = origin.Add(-time.Minute)
		if err := store.PutRecord(t.Context(), expired, authcore.PutOptions{Now: origin}); err != nil {
			t.Fatalf("PutRecord: %v", err)
		}
	}
	execute(t, store, `UPDATE @.records SET doc = '{"key":5}' WHERE realm = $1 AND key = 'a'`, store.realm)
	for _, want := range []authcore.Swept{{Removed: 2, Damaged: 1}, {Damaged: 1}} {
		if got, err := store.Sweep(t.Context(), origin); err != nil || got != want {
			t.Errorf("Sweep = %+v, error %v, want %+v", got, err, want)
		}
	}
}

// Settings of the database change nothing. Another level of isolation would hide
// what was committed while a step waited, so that a session outlives the disabling
// of its user (CWE-362).
func TestSettingsOfTheDatabase(t *testing.T) {
	server := pgtest.Start(t)
	for level, settings := range map[string][]string{
		"serializable":    nil,
		"repeatable read": {`DateStyle = 'German'`, `standard_conforming_strings = off`, `synchronous_commit = off`},
	} {
		t.Run(level, func(t *testing.T) {
			dsn := server.Database(t)
			for _, setting := range append(settings, `default_transaction_isolation = '`+level+`'`) {
				setDatabase(t, dsn, setting)
			}
			db := openDSN(t, dsn)
			storagetest.Run(t, suite(db))
		})
	}
}

// The suite also passes where statements are not prepared, as behind a pooler.
func TestStoreWithoutPreparedStatements(t *testing.T) {
	server := pgtest.Start(t)
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			storagetest.Run(t, suite(openDSN(t, server.Database(t)+"&default_query_exec_mode="+mode)))
		})
	}
}

// Behind a pooler in transaction mode each transaction may use another connection,
// so that a session keeps nothing. Notifications do not pass a pooler: the watch of
// this test connects directly, and nodes behind a pooler poll.
func TestStoreBehindAPooler(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	direct, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("ParseConfig: %v", err)
	}
	db := openDSN(t, server.Through(dsn, server.Pooler(t))+"&default_query_exec_mode=exec", WithMaxConnections(20))
	db.listen = direct
	storagetest.Run(t, suite(db))
}

// A login is pending when its user is disabled. Disabling waits for it and must then
// see its session, whatever the default level of isolation is (CWE-362, CWE-613).
func TestDisablingSeesWhatItWaitedFor(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	setDatabase(t, dsn, `default_transaction_isolation = 'repeatable read'`)
	revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: "u", Until: origin.Add(time.Hour)}
	for name, end := range map[string]func(*Store) error{
		"Disable": func(s *Store) error {
			return second(s.UpdateAccount(t.Context(), "u", origin, func(a *authcore.Account) error {
				a.Disable(revocation.Until)
				return nil
			}))
		},
		"DeleteUser": func(s *Store) error { return s.DeleteUser(t.Context(), "u", revocation) },
	} {
		t.Run(name, func(t *testing.T) {
			db := openDSN(t, dsn)
			store := realm(t, db, name)
			signUp(t, store, authcore.Account{User: user("u", "")})
			login, err := db.pool.Begin(t.Context())
			if err != nil {
				t.Fatalf("Begin: %v", err)
			}
			signedIn := session("s")
			signedIn.UserID = "u"
			doc, _, _ := encode(signedIn)
			for statement, arguments := range map[string][]any{
				`UPDATE @.users SET version = version + 1 WHERE realm = $1 AND id = $2`: {name, "u"},
				insertSession + `NOTHING`: store.sessionArguments(signedIn, doc),
			} {
				if _, err := login.Exec(t.Context(), db.in(statement), arguments...); err != nil {
					t.Fatalf("pending login: %v", err)
				}
			}
			ended := make(chan error, 1)
			go func() { ended <- end(store) }()
			waitForLock(t, db)
			if err := errors.Join(login.Commit(t.Context()), <-ended); err != nil {
				t.Fatalf("login and %s: error %v", name, err)
			}
			var sessions int
			err = db.pool.QueryRow(t.Context(), `SELECT count(*) FROM edgeauth.sessions WHERE realm = $1`, name).Scan(&sessions)
			if err != nil || sessions != 0 {
				t.Errorf("%d sessions are left, error %v, want none", sessions, err)
			}
		})
	}
}

// Another record of the owner is pending when one is stored that only the newest is kept
// of. It waits and must then delete the other, whatever the default level of isolation is
// (CWE-362).
func TestKeepSeesWhatItWaitedFor(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	setDatabase(t, dsn, `default_transaction_isolation = 'repeatable read'`)
	db := openDSN(t, dsn)
	store := realm(t, db, "keep")
	linkOf := func(key string, created time.Time) authcore.Record {
		return authcore.Record{
			RecordKey: authcore.RecordKey{Kind: "link", Key: key}, Owner: "ada", Created: created, Expires: origin.Add(time.Hour),
		}
	}
	doc, former, err := encode(linkOf("former", origin))
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	pending, err := db.pool.Begin(t.Context())
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	if _, err := pending.Exec(t.Context(), db.in(putRecord+lockOwner), append(store.recordArguments(former, doc), false, stamp(origin))...); err != nil {
		t.Fatalf("pending record: %v", err)
	}
	stored := make(chan error, 1)
	go func() {
		stored <- store.PutRecord(t.Context(), linkOf("latter", origin.Add(time.Second)), authcore.PutOptions{Now: origin, Keep: 1})
	}()
	waitForLock(t, db)
	if err := errors.Join(pending.Commit(t.Context()), <-stored); err != nil {
		t.Fatalf("both records: error %v", err)
	}
	if _, err := store.Record(t.Context(), former.RecordKey, origin); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("the former record: error %v, want that it is not kept", err)
	}
}

// waitForLock waits until one step waits for another one.
func waitForLock(t *testing.T, db *DB) {
	t.Helper()
	servertest.Eventually(t, "the later step waits for the pending one", func() bool {
		var waiting int
		err := db.pool.QueryRow(t.Context(),
			`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&waiting)
		return err == nil && waiting == 1
	})
}
