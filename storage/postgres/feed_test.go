package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// follow reads the feed from a cursor to its end, as a node does.
func follow(t *testing.T, store *Store, cursor string) (ids []string, next string) {
	t.Helper()
	for range 1000 {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatalf("RevocationsSince: error %v", err)
		}
		if len(entries) == 0 {
			return ids, next
		}
		for _, entry := range entries {
			ids = append(ids, entry.ID)
		}
		cursor = next
	}
	t.Fatal("RevocationsSince does not end")
	return nil, ""
}

// importFeed appends entries to the feed.
func importFeed(t *testing.T, store *Store, ids ...string) {
	t.Helper()
	var items []authcore.Item
	for _, id := range ids {
		items = append(items, authcore.Item{Revocation: &authcore.Revocation{
			Kind: authcore.RevokeSession, ID: id, Until: origin.Add(time.Hour),
		}})
	}
	if n, err := store.Import(t.Context(), items); err != nil || n != len(ids) {
		t.Fatalf("Import = %d, error %v, want %d", n, err, len(ids))
	}
}

// openTransaction revokes a session in a transaction of its own and returns a
// function that ends it.
func openTransaction(t *testing.T, dsn string, store *Store, id string) (end func(string)) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	arguments, err := store.feedArguments([]authcore.Revocation{{Kind: authcore.RevokeSession, ID: id, Until: origin.Add(time.Hour)}})
	if err != nil {
		t.Fatalf("feedArguments: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `BEGIN`); err != nil {
		t.Fatalf("BEGIN: %v", err)
	}
	if _, err := conn.Exec(t.Context(), store.db.in(appendFeed+replaceEntry), arguments...); err != nil {
		t.Fatalf("append: %v", err)
	}
	return func(how string) {
		if _, err := conn.Exec(t.Context(), how); err != nil {
			t.Fatalf("%s: error %v, want nil", how, err)
		}
	}
}

// A transaction has revoked and stays open while others revoke and commit. A cursor
// that passed its number would never see it: the tokens would stay valid on this node
// (CWE-613). Nothing waits for the open transaction.
func TestOpenTransactionIsNotMissed(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	_, cursor := follow(t, store, "")
	commitSlow := openTransaction(t, dsn, store, "slow")
	rollBack := openTransaction(t, dsn, store, "rolled back")
	importFeed(t, store, "fast")
	seen, cursor := follow(t, store, cursor)
	if fmt.Sprint(seen) != "[fast]" {
		t.Errorf("RevocationsSince before the commit = %q, want fast", seen)
	}
	importFeed(t, store, "faster")
	rollBack(`ROLLBACK`)
	commitSlow(`COMMIT`)
	seen, cursor = follow(t, store, cursor)
	slices.Sort(seen)
	if fmt.Sprint(seen) != "[faster slow]" {
		t.Errorf("RevocationsSince after the commit = %q, want faster and slow", seen)
	}
	if seen, _ = follow(t, store, cursor); len(seen) != 0 {
		t.Errorf("RevocationsSince again = %q, want nothing", seen)
	}
}

// Revocations of several writers, some of which are slow or roll back, are read by
// several readers with small pages. Each reader gets all that were committed.
func TestReadersMissNothing(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	random := rand.New(rand.NewPCG(1, 2))
	cursors, got := make([]string, 3), make([]map[string]bool, 3)
	for i := range got {
		got[i] = make(map[string]bool)
	}
	read := func(i, pages int) {
		for range pages {
			entries, next, err := store.revocationsSince(t.Context(), parseFeedCursor(cursors[i]), 2)
			if err != nil {
				t.Fatalf("RevocationsSince: error %v", err)
			}
			for _, entry := range entries {
				got[i][entry.ID] = true
			}
			cursors[i] = next
		}
	}
	var open []func(string)
	want := make(map[string]bool)
	for n := range 150 {
		id := fmt.Sprint(n)
		switch end := openTransaction(t, dsn, store, id); random.IntN(4) {
		case 0:
			end(`ROLLBACK`)
		case 1:
			end(`COMMIT`)
			want[id] = true
		default:
			open = append(open, func(string) { end(`COMMIT`); want[id] = true })
		}
		if len(open) > 5 {
			i := random.IntN(len(open))
			open[i]("")
			open = slices.Delete(open, i, i+1)
		}
		read(random.IntN(3), random.IntN(3))
	}
	for _, end := range open {
		end("")
	}
	for i := range got {
		read(i, 200)
		if len(got[i]) != len(want) {
			t.Errorf("reader %d got %d entries, want %d", i, len(got[i]), len(want))
		}
	}
}

// A transaction that is open for a long time and revokes nothing, such as a report,
// delays nothing and causes no duplicates.
func TestLongTransactionDelaysNothing(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `BEGIN ISOLATION LEVEL REPEATABLE READ;
		CREATE TABLE report (); SELECT count(*) FROM edgeauth.feed`); err != nil {
		t.Fatalf("report: %v", err)
	}
	_, cursor := follow(t, store, "")
	importFeed(t, store, "a")
	seen, next := follow(t, store, cursor)
	if again, _ := follow(t, store, next); len(seen) != 1 || len(again) != 0 {
		t.Errorf("RevocationsSince = %q and then %q, want one entry once", seen, again)
	}
}

// A node that starts reads the feed in pages. The entries of one transaction are not
// separated.
func TestFeedIsPaged(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	const count = 2*revocationPage + 17
	var ids []string
	for i := range count {
		ids = append(ids, fmt.Sprint(i))
	}
	for _, part := range [][]string{ids[:3], ids[3 : count-10], ids[count-10:]} {
		importFeed(t, store, part...)
	}
	seen, _ := follow(t, store, "")
	slices.Sort(seen)
	if distinct := slices.Compact(slices.Clone(seen)); len(distinct) != count || len(seen) != count {
		t.Errorf("%d entries, %d distinct, want %d", len(seen), len(distinct), count)
	}
}

// A cursor that this server never issued, or that another start of it issued, must
// not hide revocations.
func TestForeignCursorsGetEverything(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	importFeed(t, store, "a")
	_, own := follow(t, store, "")
	nonce, rest, _ := strings.Cut(own, "/")
	const future = "999999999999999999:999999999999999999:"
	for _, cursor := range []string{
		"", "0", "x", nonce, nonce + "/", nonce + "/x", nonce + "/" + future + "//0", nonce + "/2:1:://0", nonce + "/2:1://0", nonce + "/1:2:3://0",
		nonce + "/1:1:/" + future + "/5", nonce + "/1:1:/2:1:/5", "X/" + rest, "/" + rest, own + "x", "\x00", "\xff", "'; DROP TABLE users; --",
		nonce + "/99999999999999999999:99999999999999999999://0",
	} {
		if entries, next, err := store.RevocationsSince(t.Context(), cursor); err != nil || len(entries) != 1 || next == cursor {
			t.Errorf("RevocationsSince(%q) = %v, next %q, error %v, want one entry", cursor, entries, next, err)
		}
	}
	if entries, _, err := store.RevocationsSince(t.Context(), own); err != nil || len(entries) != 0 {
		t.Errorf("RevocationsSince(its own cursor) = %v, error %v, want nothing", entries, err)
	}
}

// A crash of one process of the server restarts the others, and numbers of lost
// transactions are used again. Readers get everything.
func TestCrashInvalidatesCursors(t *testing.T) {
	server := pgtest.Start(t)
	store := realm(t, openDSN(t, server.Database(t)), "main")
	importFeed(t, store, "a")
	_, cursor := follow(t, store, "")
	server.Crash(t)
	servertest.Eventually(t, "the feed is complete after the crash", func() bool {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		return err == nil && len(entries) == 1 && !strings.HasPrefix(cursor, next[:8])
	})
}

// A restored dump contains numbers of transactions of another server, which may be
// in the future. They are delivered once, and later ones are not hidden.
func TestRestoredNumbers(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	importFeed(t, store, "restored", "also restored")
	_, cursor := follow(t, store, "")
	pgtest.Exec(t, dsn, `UPDATE edgeauth.feed SET xid = '4611686018427387904'`, `UPDATE edgeauth.feed_epoch SET started = now()`)
	seen, cursor := follow(t, store, cursor)
	if len(seen) != 2 {
		t.Errorf("RevocationsSince after the restore = %q, want both", seen)
	}
	importFeed(t, store, "new")
	if seen, _ = follow(t, store, cursor); fmt.Sprint(seen) != "[new]" {
		t.Errorf("RevocationsSince = %q, want new", seen)
	}
}

// All connections of the pool are busy. Revocations are read all the same.
func TestBusyPoolDelaysNoRevocation(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t), WithMaxConnections(2))
	store := realm(t, db, "main")
	importFeed(t, store, "a")
	for range 2 {
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatalf("Acquire: %v", err)
		}
		t.Cleanup(conn.Release)
	}
	if seen, _ := follow(t, store, ""); len(seen) != 1 {
		t.Errorf("RevocationsSince = %q, want one entry", seen)
	}
}

// The age of a revocation depends on the clock of the server only, and on the last
// time that it was appended.
func TestRevocationAge(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	store := realm(t, db, "main")
	signUp(t, store, account("u", ""))
	previous := time.Duration(0)
	for range 2 {
		update(t, store, "u", func(a *authcore.Account) {
			a.Revocations = []authcore.Revocation{{Kind: authcore.RevokeUser, ID: "u", Until: origin.Add(time.Hour)}}
		})
		if _, err := db.pool.Exec(t.Context(), `SELECT pg_sleep(0.3)`); err != nil {
			t.Fatalf("pg_sleep: %v", err)
		}
		entries, _, err := store.RevocationsSince(t.Context(), "")
		if err != nil || len(entries) != 1 {
			t.Fatalf("RevocationsSince = %v, error %v, want one entry", entries, err)
		}
		age := entries[0].Age
		if age < 300*time.Millisecond || age > time.Minute || previous > 0 && age > previous+10*time.Second {
			t.Errorf("age %s, before %s, want about 300 ms", age, previous)
		}
		previous = age
	}
}

// A watch whose connection is cut, or whose server ends or freezes, ends with an
// error, so that its caller begins a new one. It ends when the store is closed.
func TestWatchEnds(t *testing.T) {
	server := pgtest.Start(t)
	through := servertest.NewProxy(t, server.Address())
	dsn := server.Through(server.Database(t), through.Address())
	db := openDSN(t, dsn, WithMaxConnections(1))
	db.timeout = 5 * time.Second // a busy machine needs some of it
	db.quiet = 100 * time.Millisecond
	store := realm(t, db, "main")
	mustWatch(t, store, "cut", through.Cut)
	mustWatch(t, store, "freeze", func() { server.Pause(t) })
	server.Resume(t)
	mustWatch(t, store, "kill", func() { server.Kill(t) })
	server.Start(t)
	mustWatch(t, store, "close", func() { _ = db.Close() })
	if err := store.WatchRevocations(t.Context(), func() {}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("WatchRevocations after Close: error %v", err)
	}
}

// mustWatch begins a watch, waits until its connection was checked, ends it, and
// wants an error.
func mustWatch(t *testing.T, store *Store, name string, end func()) {
	t.Helper()
	servertest.Eventually(t, "the store continues", func() bool { return isUp(t, store) })
	ended, notified := make(chan error, 1), make(chan struct{}, 100)
	go func() {
		ended <- store.WatchRevocations(t.Context(), func() { notified <- struct{}{} })
	}()
	<-notified
	<-time.After(3 * store.db.quiet)
	signUp(t, store, account("watched "+name, ""))
	disable(t, store, "watched "+name)
	select {
	case <-notified:
	case err := <-ended:
		t.Fatalf("%s: the watch ended in silence: %v", name, err)
	case <-time.After(time.Minute):
		t.Fatalf("%s: no notification", name)
	}
	end()
	select {
	case err := <-ended:
		if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: WatchRevocations = error %v, want %v", name, err, authcore.ErrUnavailable)
		}
	case <-time.After(time.Minute):
		t.Errorf("%s: the watch does not end", name)
	}
}
