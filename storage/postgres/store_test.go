package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// TestStore runs the suite with one database and a realm for each check, so that
// every check also tests that realms are separate.
func TestStore(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	db.maxCounters = 100
	storagetest.Run(t, suite(db))
}

// suite describes the engine to the suite.
func suite(db *DB) storagetest.Config {
	var realms atomic.Int64
	open := func(t *testing.T) *Store {
		t.Helper()
		return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
	}
	return storagetest.Config{
		Open:        func(t *testing.T) authcore.Store { return open(t) },
		Clock:       true,
		MaxCounters: db.maxCounters % maxCounters,
		Damage: func(t *testing.T, store authcore.Store, item authcore.Item) bool {
			return damage(t, store.(*Store), item)
		},
		// Sweep decodes what has expired, which the suite does not damage.
		SweepsBlindly: true,
		Writes:        func(t *testing.T, store authcore.Store) int64 { return writes(t, store.(*Store)) },
		OpenNewer: func(t *testing.T) error {
			store := open(t)
			execute(t, store, `UPDATE @.realms SET format = format + 1 WHERE name = $1`, store.realm)
			_, err := db.Realm(t.Context(), store.realm)
			return err
		},
	}
}

// damage makes the document of an item undecodable.
func damage(t *testing.T, store *Store, item authcore.Item) bool {
	t.Helper()
	const broken = `SET doc = '{' WHERE realm = $1 AND `
	switch {
	case item.User != nil:
		execute(t, store, `UPDATE @.users `+broken+`id = $2`, store.realm, item.User.ID)
	case item.Identity != nil:
		execute(t, store, `UPDATE @.identities `+broken+`key = $2`, store.realm, identityDigest(item.Identity.Key()))
	case item.Session != nil:
		execute(t, store, `UPDATE @.sessions `+broken+`id = $2`, store.realm, item.Session.ID)
	case item.Record != nil:
		execute(t, store, `UPDATE @.records `+broken+`key = $2`, store.realm, item.Record.Key)
	case item.Revocation != nil:
		execute(t, store, `UPDATE @.feed `+broken+`id = $2`, store.realm, item.Revocation.ID)
	}
	return true
}

// writes returns the sum of the transactions that wrote rows, and their number.
func writes(t *testing.T, store *Store) (sum int64) {
	t.Helper()
	for _, table := range []string{"users", "identities", "sessions", "records", "feed", "keys"} {
		var part int64
		err := store.db.pool.QueryRow(t.Context(), store.db.in(
			`SELECT count(*) + coalesce(sum(xmin::text::bigint), 0)::bigint FROM @.`+table+` WHERE realm = $1`), store.realm).Scan(&part)
		if err != nil {
			t.Fatalf("reading the writes: %v", err)
		}
		sum += part
	}
	return sum
}

// execute runs a statement that changes one row.
func execute(t *testing.T, store *Store, statement string, args ...any) {
	t.Helper()
	tag, err := store.db.pool.Exec(t.Context(), store.db.in(statement), args...)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%s: %d rows, error %v, want one row", statement, tag.RowsAffected(), err)
	}
}

// openDSN opens a database that the test closes. Its timeout does not end calls on a busy
// machine.
func openDSN(tb testing.TB, dsn string, options ...Option) *DB {
	tb.Helper()
	db, err := Open(tb.Context(), dsn, options...)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	db.timeout = time.Minute
	return db
}

func realm(tb testing.TB, db *DB, name string) *Store {
	tb.Helper()
	store, err := db.Realm(tb.Context(), name)
	if err != nil {
		tb.Fatalf("Realm: %v", err)
	}
	return store
}
