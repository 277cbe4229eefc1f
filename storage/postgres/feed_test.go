package postgres

import (
	"context"
	"errors"
	"fmt"
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
	for {
		entries, next, err := store.RevocationsSince(t.Context(), cursor)
		if err != nil {
			t.Fatalf("RevocationsSince: %v", err)
		}
		if len(entries) == 0 {
			return ids, next
		}
		for _, entry := range entries {
			ids = append(ids, entry.ID)
		}
		cursor = next
	}
}

// A transaction that has revoked and not committed is held open while others revoke
// and commit. With numbers from a sequence the later ones would be seen first, and
// the cursor that has passed them would never see the earlier one: its tokens would
// stay valid on this node (CWE-613).
func TestNothingOvertakesAnOpenTransaction(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	db := openDSN(t, dsn)
	db.timeout = time.Minute
	store := realm(t, db, "main")
	for _, id := range []string{"slow", "fast"} {
		mustEnsure(t, store, user(id, ""))
		if err := store.PutSession(t.Context(), session("s-"+id, id)); err != nil {
			t.Fatal(err)
		}
	}
	_, cursor := follow(t, store, "")

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	open, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slow := db.tables.in(`WITH ended AS (
			DELETE FROM @.sessions WHERE realm = $1 AND id = 's-slow' RETURNING id, expires
		), revoked AS (SELECT 'session' AS kind, id, expires AS until FROM ended)` + revoke)
	if _, err := open.Exec(t.Context(), slow, "main", store.channel()); err != nil {
		t.Fatal(err)
	}
	fast := make(chan error, 1)
	go func() { fast <- second(store.EndSessions(t.Context(), "fast", everySession, origin)) }()
	waitForLock(t, db)
	// A realm of its own does not wait, nor does what revokes nothing.
	mustEnsure(t, realm(t, db, "other"), user("u", ""))
	if _, err := realm(t, db, "other").SetDisabled(t.Context(), "u", true, origin, origin); err != nil {
		t.Error(err)
	}
	mustEnsure(t, store, user("u", "ada@example.com"))
	seen, cursor := follow(t, store, cursor)
	if len(seen) != 0 {
		t.Errorf("seen before the commit: %v", seen)
	}
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-fast; err != nil {
		t.Fatal(err)
	}
	if seen, _ = follow(t, store, cursor); fmt.Sprint(seen) != "[s-slow s-fast]" {
		t.Errorf("after the commits: %v", seen)
	}
}

// A transaction that is open for a long time and revokes nothing, such as that of a
// report, holds nothing back.
func TestLongTransactionsHoldNothingBack(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	db := openDSN(t, dsn)
	store := realm(t, db, "main")
	mustEnsure(t, store, user("u", ""))
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `BEGIN ISOLATION LEVEL REPEATABLE READ;
		CREATE TABLE report (); SELECT count(*) FROM edgeauth.revocations; SELECT count(*) FROM edgeauth.feeds`); err != nil {
		t.Fatal(err)
	}
	_, cursor := follow(t, store, "")
	if _, err := store.SetDisabled(t.Context(), "u", true, origin, origin); err != nil {
		t.Fatal(err)
	}
	if seen, next := follow(t, store, cursor); len(seen) != 1 {
		t.Errorf("seen %v", seen)
	} else if seen, _ := follow(t, store, next); len(seen) != 0 {
		t.Errorf("seen again %v", seen)
	}
}

// A node that starts reads the feed in pages, and the entries of one transaction,
// which have one number, are not torn apart by them.
func TestRevocationsArePaged(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	const count = 2*revocationPage + 17
	var records []authcore.Record
	for i := range count {
		records = append(records, authcore.Record{Revocation: &authcore.Revocation{
			Kind: authcore.RevokeToken, ID: fmt.Sprint(i), Until: origin,
		}})
	}
	for _, part := range [][]authcore.Record{records[:3], records[3 : count-10], records[count-10:]} {
		if n, err := store.Import(t.Context(), part); err != nil || n != len(part) {
			t.Fatalf("Import: %d, error %v", n, err)
		}
	}
	seen, _ := follow(t, store, "")
	distinct := make(map[string]bool)
	for _, id := range seen {
		distinct[id] = true
	}
	if len(distinct) != count || len(seen) != count {
		t.Errorf("%d entries, %d distinct, want %d", len(seen), len(distinct), count)
	}
}

// A cursor that this server never gave out, from before it was restarted, from
// before a backup was restored, or from a standby that was promoted and lacks what
// the cursor has passed, must not hide revocations.
func TestForeignCursorsGetEverything(t *testing.T) {
	store := realm(t, openDSN(t, pgtest.Start(t).Database(t)), "main")
	mustEnsure(t, store, user("u", ""))
	if _, err := store.SetDisabled(t.Context(), "u", true, origin, origin); err != nil {
		t.Fatal(err)
	}
	_, own := follow(t, store, "")
	begun, _, _ := strings.Cut(own, "-")
	for _, cursor := range []string{
		"", "0", "1-1", "x", begun, begun + "-", begun + "-x", begun + "-2", begun + "--1", "-" + own,
		begun + "-9223372036854775807", begun + "-" + strings.Repeat("9", 99), "\x00", "\xff", "'; DROP TABLE users; --",
	} {
		if entries, next, err := store.RevocationsSince(t.Context(), cursor); err != nil || len(entries) != 1 || next != own {
			t.Errorf("cursor %q: %v, next %q, error %v", cursor, entries, next, err)
		}
	}
	if entries, _, err := store.RevocationsSince(t.Context(), own); err != nil || len(entries) != 0 {
		t.Errorf("after all: %v, error %v", entries, err)
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("1764000000000000-7")
	f.Add("-")
	f.Fuzz(func(t *testing.T, text string) {
		begun, seen := parseCursor(text)
		if seen < 0 || begun != 0 && !strings.Contains(text, "-") {
			t.Errorf("%q: %d, %d", text, begun, seen)
		}
	})
}

// A watch whose connection is cut, or whose server dies or freezes, ends with an
// error, so that its caller begins a new one; and it ends when the store is closed.
func TestWatchEnds(t *testing.T) {
	server := pgtest.Start(t)
	through := servertest.NewProxy(t, server.Address())
	dsn := server.Through(server.Database(t), through.Address())
	db := openDSN(t, dsn, WithMaxConnections(1))
	db.timeout = 5 * time.Second // of which a busy machine needs some
	db.quiet = 100 * time.Millisecond
	store := realm(t, db, "main")
	mustWatch(t, store, "cut", through.Cut)
	mustWatch(t, store, "freeze", func() { server.Pause(t) })
	server.Resume(t)
	mustWatch(t, store, "kill", func() { server.Kill(t) })
	server.Start(t)
	mustWatch(t, store, "close", func() { _ = db.Close() })
	if err := store.WatchRevocations(t.Context(), func() {}); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("after Close: error %v", err)
	}
}

// mustWatch begins a watch, lets it stand through some silence, ends it and wants an
// error.
func mustWatch(t *testing.T, store *Store, name string, end func()) {
	t.Helper()
	servertest.Eventually(t, "the store goes on", func() bool {
		return errors.Is(second(store.User(t.Context(), "nobody")), authcore.ErrNotFound)
	})
	ended, notified := make(chan error, 1), make(chan struct{}, 100)
	go func() {
		ended <- store.WatchRevocations(t.Context(), func() { notified <- struct{}{} })
	}()
	<-notified
	<-time.After(3 * store.db.quiet)
	mustEnsure(t, store, user("watched-"+name, ""))
	if _, err := store.SetDisabled(t.Context(), "watched-"+name, true, origin, origin); err != nil {
		t.Fatal(err)
	}
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
			t.Errorf("%s: error %v", name, err)
		}
	case <-time.After(time.Minute):
		t.Errorf("%s: the watch goes on", name)
	}
}
