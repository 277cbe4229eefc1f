package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// queryModes are the ways in which pgx executes statements.
var queryModes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

// A connection breaks at some message of a step: the message is lost, or the server
// executes it and the answer is lost. A client that repeated the step would count a
// guess twice, or report "not found" for a link that it has taken itself.
func TestCutConnections(t *testing.T) {
	server := pgtest.Start(t)
	for _, mode := range queryModes {
		t.Run(mode, func(t *testing.T) {
			db := openDSN(t, server.Database(t)+"&default_query_exec_mode="+mode)
			f := withFaults(t, db)
			for _, before := range []bool{true, false} {
				for n := range 5 {
					store := realm(t, db, fmt.Sprint(before, n))
					storagetest.Furnish(t, store)
					for name, step := range storagetest.Steps(store) {
						f.arm(n, before, false)
						err := step(t.Context())
						f.disarm()
						if err != nil && (!errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound)) {
							t.Errorf("message %d, lost %v: %s = error %v, want %v", n, before, name, err, authcore.ErrUnavailable)
						}
					}
					wantAtMostOnce(t, store, fmt.Sprintf("message %d, lost %v", n, before))
				}
			}
		})
	}
}

// wantAtMostOnce checks that no step of storagetest.Steps happened twice.
func wantAtMostOnce(t *testing.T, store *Store, fault string) {
	t.Helper()
	ref := authcore.UserRef{ID: storagetest.StepID("user")}
	account, err := store.Account(t.Context(), ref, origin)
	if err != nil || len(account.User.Nickname) > 1 || len(account.Sessions) != 1 {
		t.Errorf("%s: UpdateAccount left nickname %q and %d sessions, error %v", fault, account.User.Nickname, len(account.Sessions), err)
	}
	record, err := store.Record(t.Context(), storagetest.StepRecord("update").RecordKey, origin)
	if err != nil || len(record.Data) > len("update")+1 {
		t.Errorf("%s: UpdateRecord left %q, error %v", fault, record.Data, err)
	}
	tallies, err := store.Count(t.Context(), origin, []authcore.Counter{{Limit: "l", Party: "p", Window: time.Hour}})
	if err != nil || tallies[0].N > 1 {
		t.Errorf("%s: Count left %v, error %v", fault, tallies, err)
	}
}

// A step that breaks before anything was committed is tried again, so that the loss
// of an idle connection fails no call.
func TestBrokenBeforeTheCommit(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	f := withFaults(t, db)
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	for _, before := range []bool{true, false} {
		for _, name := range []string{"User", "Account", "RevocationsSince", "UpdateAccount"} {
			f.arm(0, before, false)
			err := storagetest.Steps(store)[name](t.Context())
			if broken := f.disarm(); err != nil || broken != 1 {
				t.Errorf("%s on a broken connection = error %v after %d faults, want success", name, err, broken)
			}
		}
	}
}

func TestLoginFaults(t *testing.T) {
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, before), func(t *testing.T) {
				db := openDSN(t, pgtest.Start(t).Database(t)+"&default_query_exec_mode="+mode)
				f, store := withFaults(t, db), realm(t, db, "main")
				storagetest.RunLoginFaults(t, store, func(n int) func() {
					f.arm(n, before, true)
					return func() { f.disarm() }
				})
			})
		}
	}
}

// A frozen server ends every call in bounded time, and a caller that cancels ends it
// immediately. When the server continues, so does the store.
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
	servertest.Eventually(t, "the store continues", func() bool { return isUp(t, store) })
}

// isUp reports whether the store answers.
func isUp(t *testing.T, store *Store) bool {
	t.Helper()
	_, err := store.User(t.Context(), authcore.UserRef{ID: "absent"})
	return errors.Is(err, authcore.ErrNotFound)
}

// The store of a frozen server can be closed, so that a reload does not hang.
func TestCloseOfAFrozenServer(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t))
	store := realm(t, db, "main")
	db.timeout = time.Second
	server.Pause(t)
	begin := time.Now()
	if err := db.Close(); err != nil {
		t.Errorf("Close of a frozen server: error %v", err)
	}
	t.Logf("closed after %s", time.Since(begin))
	server.Resume(t)
	_, err := store.User(t.Context(), authcore.UserRef{ID: "u"})
	if !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("User after Close: error %v, want %v", err, authcore.ErrUnavailable)
	}
}

// A server that was killed and started again is used again, and has what was
// acknowledged. A node with a cursor gets everything: transactions may have got
// numbers that the cursor has passed.
func TestRestartedServer(t *testing.T) {
	server := pgtest.Start(t)
	store := realm(t, openDSN(t, server.Database(t)), "main")
	signUp(t, store, account("gone", ""))
	signUp(t, store, account("ending", ""))
	signUp(t, store, account("u", ""))
	disable(t, store, "gone")
	_, cursor := follow(t, store, "")
	update(t, store, "ending", func(a *authcore.Account) { a.EndSessions(func(authcore.Session) bool { return true }) })
	for end, stop := range map[string]func(testing.TB){"kill": server.Kill, "stop": server.Stop} {
		stop(t)
		down := store.PutRecord(t.Context(), record("down", ""), authcore.PutOptions{})
		if !errors.Is(down, authcore.ErrUnavailable) {
			t.Errorf("%s: PutRecord while the server is down: error %v", end, down)
		}
		server.Start(t)
		var ids []string
		servertest.Eventually(t, "the feed is read again", func() bool {
			entries, _, err := store.RevocationsSince(t.Context(), cursor)
			ids = nil
			for _, entry := range entries {
				ids = append(ids, entry.ID)
			}
			return err == nil
		})
		if len(ids) != 3 {
			t.Errorf("%s: revocations of %q, want gone, s-gone and s-ending", end, ids)
		}
		if err := store.PutRecord(t.Context(), record("up "+end, ""), authcore.PutOptions{}); err != nil {
			t.Errorf("%s: PutRecord afterwards: %v", end, err)
		}
	}
}

// disable disables a user for an hour.
func disable(t *testing.T, store *Store, id string) {
	t.Helper()
	update(t, store, id, func(a *authcore.Account) { a.Disable(origin.Add(time.Hour)) })
}

func update(t *testing.T, store *Store, id string, change func(*authcore.Account)) authcore.Account {
	t.Helper()
	account, err := store.UpdateAccount(t.Context(), id, origin, func(a *authcore.Account) error {
		change(a)
		return nil
	})
	if err != nil {
		t.Fatalf("UpdateAccount(%q): error %v", id, err)
	}
	return account
}

// A node that halts in the middle of a step must not delay the others (CWE-667), nor
// overwrite what they stored.
func TestHaltedNode(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	signUp(t, store, account("u", "ada@example.com"))
	halted, proceed := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		var once sync.Once
		_, err := store.UpdateAccount(t.Context(), "u", origin, func(a *authcore.Account) error {
			once.Do(func() {
				close(halted)
				<-proceed
			})
			a.User.LastName = "late"
			return nil
		})
		ended <- err
	}()
	<-halted
	if got := update(t, store, "u", func(a *authcore.Account) { a.User.FirstName = "other" }); got.User.FirstName != "other" {
		t.Errorf("UpdateAccount next to a halted node = %+v", got.User)
	}
	close(proceed)
	if err := <-ended; err != nil {
		t.Errorf("UpdateAccount of the halted node: error %v", err)
	}
	got, err := store.User(t.Context(), authcore.UserRef{ID: "u"})
	if err != nil || got.FirstName != "other" || got.LastName != "late" {
		t.Errorf("User afterwards = %+v, error %v, want both changes", got, err)
	}
}

// A step that needs locks for more than one round trip loses them if its node halts.
func TestHaltedTransactionEnds(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	var timeout string
	if err := db.pool.QueryRow(t.Context(), `SHOW idle_in_transaction_session_timeout`).Scan(&timeout); err != nil || timeout != "5s" {
		t.Errorf("idle_in_transaction_session_timeout = %s, error %v, want 5s", timeout, err)
	}
}

// All idle connections end with their server. No more than one call fails by that.
func TestOneCallFailsByARestart(t *testing.T) {
	server := pgtest.Start(t)
	db := openDSN(t, server.Database(t), WithMaxConnections(8))
	store := realm(t, db, "main")
	signUp(t, store, account("u", ""))
	fillPool(t, db, 8)
	server.Kill(t)
	server.Start(t)
	failed := 0
	for range 20 {
		if _, err := store.User(t.Context(), authcore.UserRef{ID: "u"}); err != nil {
			failed++
		}
	}
	if failed > 1 {
		t.Errorf("%d of 20 calls failed, want at most one", failed)
	}
}

// fillPool opens n connections and leaves them idle.
func fillPool(t *testing.T, db *DB, n int) {
	t.Helper()
	begin := make(chan struct{})
	var holders sync.WaitGroup
	for range n {
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatalf("Acquire: %v", err)
		}
		holders.Go(func() {
			<-begin
			conn.Release()
		})
	}
	close(begin)
	holders.Wait()
}

// A primary that became a standby refuses writes on the connections that stay. New
// connections find the new primary if the DSN names it.
func TestReadOnlyConnectionsAreDropped(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn, WithMaxConnections(1)), "main")
	setDatabase(t, dsn, `default_transaction_read_only = on`)
	store.db.pool.Reset()
	put := func() error { return store.PutRecord(t.Context(), record("r", ""), authcore.PutOptions{}) }
	if err := put(); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("PutRecord in a read-only database: error %v", err)
	}
	setDatabase(t, dsn+"&default_transaction_read_only=off", `default_transaction_read_only = off`)
	if err := put(); err != nil {
		t.Errorf("PutRecord after it: %v", err)
	}
}

// setDatabase changes a setting of the database of a DSN.
func setDatabase(t *testing.T, dsn, setting string) {
	t.Helper()
	pgtest.Exec(t, dsn, `DO $$ BEGIN EXECUTE format($q$ALTER DATABASE %I SET `+setting+`$q$, current_database()); END $$`)
}

// A panic in a callback is an error of its call, and the connection with the locked
// rows is dropped.
func TestPanicInCallback(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t), WithMaxConnections(1)), "main")
	signUp(t, store, account("u", "ada@example.com"))
	_, err := store.UpdateAccount(t.Context(), "u", origin, func(*authcore.Account) error { panic("secret") })
	wantPanicError(t, "UpdateAccount", err)
	_, err = store.Login(t.Context(), authcore.LoginStep{
		Now: origin, Refs: []authcore.UserRef{{ID: "u"}}, Decide: func(authcore.LoginFound) (authcore.Account, error) { panic("secret") },
	})
	wantPanicError(t, "Login", err)
	_, err = store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) { panic("secret") })
	wantPanicError(t, "UpdateKeys", err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := store.UpdateAccount(ctx, "u", origin, func(a *authcore.Account) error { a.User.FirstName = "Ada"; return nil }); err != nil {
		t.Errorf("UpdateAccount after a panic: error %v", err)
	}
}

func wantPanicError(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, authcore.ErrUnavailable) || errorsContain(err, "secret") {
		t.Errorf("%s with a panic = error %v, want %v without the value", call, err, authcore.ErrUnavailable)
	}
}
