package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// TestStore runs the suite with one database and a realm for each check, so that
// every check is one on the realms' being apart as well.
func TestStore(t *testing.T) {
	db := openDSN(t, pgtest.Start(t).Database(t))
	var realms atomic.Int64
	storagetest.Run(t, func(t *testing.T) authcore.Store {
		t.Helper()
		return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
	})
}

// openDSN opens a database that the test closes.
func openDSN(tb testing.TB, dsn string, options ...Option) *DB {
	tb.Helper()
	db, err := Open(tb.Context(), dsn, options...)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() { _ = db.Close() })
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
