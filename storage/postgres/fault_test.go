package postgres

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func second[T any](_ T, err error) error { return err }

func everySession(authcore.Session) bool { return true }

func user(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: origin}
}

func session(id, userID string) authcore.Session {
	return authcore.Session{
		ID: id, UserID: userID, TokenID: "t-" + id, Created: origin, Expires: origin.Add(time.Hour),
	}
}

func mustEnsure(tb testing.TB, store *Store, user authcore.User) {
	tb.Helper()
	if _, created, err := store.EnsureUser(tb.Context(), user); err != nil || !created {
		tb.Fatalf("EnsureUser: created %v, error %v", created, err)
	}
}

// A connection breaks after a step was carried out, in the middle of a transaction
// or at its end. The answer must be that nothing is known; a client that sends the
// step again would say "not found" of a link that it has taken itself, and count a
// guess twice.
func TestCutConnections(t *testing.T) {
	server := pgtest.Start(t)
	through := servertest.NewProxy(t, server.Address())
	for _, text := range []string{`"edgeauth".`, "COMMIT"} {
		t.Run(text, func(t *testing.T) {
			// In this mode a statement is sent with its text, and only once.
			dsn := server.Through(server.Database(t), through.Address()) + "&default_query_exec_mode=exec"
			db := openDSN(t, dsn)
			store := realm(t, db, "main")
			storagetest.Furnish(t, store)
			for step, run := range storagetest.Steps(store) {
				through.CutAfter(text)
				err := run(t.Context())
				hits := through.Disarm()
				if hits == 0 && text == "COMMIT" && err == nil {
					continue // it is one statement
				}
				if hits != 1 {
					t.Errorf("%s: was sent %d times", step, hits)
				}
				if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
					t.Errorf("%s: error %v", step, err)
				}
			}
			// What is one step has happened, or has not.
			if _, err := store.TakeLink(t.Context(), storagetest.StepLink("take").Secret, origin); !errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("the link that was taken: error %v", err)
			}
			if _, err := store.User(t.Context(), "new"); err != nil {
				t.Errorf("the user who was made: error %v", err)
			}
		})
	}
}

// A frozen server ends every call in bounded time, and a caller who goes away ends
// it at once; when the server goes on, so does the store.
func TestFrozenServer(t *testing.T) {
	server := pgtest.Start(t)
	const timeout = time.Second
	db := openDSN(t, server.Database(t))
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	db.timeout = timeout
	server.Pause(t)
	storagetest.Frozen(t, store, 10*timeout)
	server.Resume(t)
	servertest.Eventually(t, "the store goes on", func() bool { return second(store.User(t.Context(), "u")) == nil })
}

// The store of a frozen server can be closed: a reload or the end of the process
// does not hang.
func TestCloseOfAFrozenServer(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t))
	store := realm(t, db, "main")
	db.timeout = time.Second
	server.Pause(t)
	begin := time.Now()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("closed after %s", time.Since(begin))
	server.Resume(t)
	if err := second(store.User(t.Context(), "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("after Close: error %v", err)
	}
}

// A server that was killed and started again is used again, without anything being
// done about it, and knows what was acknowledged. A node that held a cursor gets
// everything: it cannot know that this is still the same server.
func TestRestartedServer(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t))
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	if _, err := store.SetDisabled(t.Context(), "gone", true, origin.Add(time.Hour), origin); err != nil {
		t.Fatal(err)
	}
	_, cursor, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.EndSessions(t.Context(), "ending", everySession, origin); err != nil {
		t.Fatal(err)
	}
	for end, stop := range map[string]func(testing.TB){"kill": server.Kill, "stop": server.Stop} {
		stop(t)
		if err := store.PutSession(t.Context(), session("down", "u")); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("%s: while it is down: %v", end, err)
		}
		server.Start(t)
		entries, _, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil || len(entries) != 2 || entries[1].ID != "end" {
			t.Errorf("%s: revocations: %v, error %v", end, entries, err)
		}
		if err := store.PutSession(t.Context(), session("up-"+end, "u")); err != nil {
			t.Errorf("%s: a session afterwards: %v", end, err)
		}
	}
}

// A node that stops in the middle of a step, with rows locked, must not hold up the
// others for longer than the database allows (CWE-667).
func TestHaltedNodeLetsGo(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	db.timeout = time.Minute
	store := realm(t, db, "main")
	mustEnsure(t, store, user("u", "ada@example.com"))
	halted, goOn := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		calls := 0
		_, err := store.UpdateUser(t.Context(), "u", func(u *authcore.User) error {
			if calls++; calls == 1 {
				close(halted)
				<-goOn
			}
			u.FirstName = "late"
			return nil
		})
		ended <- err
	}()
	<-halted
	got, err := store.UpdateUser(t.Context(), "u", func(u *authcore.User) error { u.FirstName = "other"; return nil })
	if err != nil || got.FirstName != "other" {
		t.Errorf("beside a halted node: %+v, error %v", got, err)
	}
	close(goOn)
	if err := <-ended; !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("the halted node: error %v", err)
	}
	if got, err := store.User(t.Context(), "u"); err != nil || got.FirstName != "other" {
		t.Errorf("afterwards: %+v, error %v", got, err)
	}
}

// All idle connections die with their server; only one call finds that out.
func TestOneCallFailsByARestart(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t), WithMaxConnections(8))
	store := realm(t, db, "main")
	mustEnsure(t, store, user("u", ""))
	begin := make(chan struct{})
	var calls sync.WaitGroup
	for range 8 { // each on a connection of its own
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		calls.Go(func() {
			<-begin
			conn.Release()
		})
	}
	close(begin)
	calls.Wait()
	server.Kill(t)
	server.Start(t)
	failed := 0
	for range 20 {
		if err := second(store.User(t.Context(), "u")); err != nil {
			failed++
		}
	}
	if failed > 1 {
		t.Errorf("%d calls failed", failed)
	}
}

// A primary that became a standby refuses to write on the connections that stay;
// new ones find the new primary, where the DSN names it.
func TestReadOnlyConnectionsAreDropped(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn, WithMaxConnections(1)), "main")
	pgtest.Exec(t, dsn, `DO $$ BEGIN EXECUTE format(
		'ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	store.db.pool.Reset()
	flow := authcore.Flow{Expires: origin.Add(time.Hour)}
	if err := store.PutFlow(t.Context(), flow); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("read only: error %v", err)
	}
	pgtest.Exec(t, dsn+"&default_transaction_read_only=off", `DO $$ BEGIN EXECUTE format(
		'ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$`)
	if err := store.PutFlow(t.Context(), flow); err != nil {
		t.Errorf("writable again: %v", err)
	}
}
