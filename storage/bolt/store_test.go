package bolt

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// TestStore runs the suite with one file and a realm for each check, so that
// every check is one on the realms' being apart as well.
func TestStore(t *testing.T) {
	db := openTemp(t)
	var realms atomic.Int64
	storagetest.Run(t, func(t *testing.T) authcore.Store {
		t.Helper()
		return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
	})
}

func TestDurability(t *testing.T) {
	storagetest.RunDurable(t, func(t *testing.T) func() authcore.Store {
		t.Helper()
		path := filepath.Join(t.TempDir(), "auth.db")
		var open *DB
		t.Cleanup(func() { closeDB(t, open) })
		return func() authcore.Store {
			if open != nil {
				closeDB(t, open)
			}
			open = openFile(t, path)
			return realm(t, open, "main")
		}
	})
}

// openTemp opens a new file that the test closes and removes.
func openTemp(tb testing.TB, options ...Option) *DB {
	tb.Helper()
	db := openFile(tb, filepath.Join(tb.TempDir(), "auth.db"), options...)
	tb.Cleanup(func() { closeDB(tb, db) })
	return db
}

func openFile(tb testing.TB, path string, options ...Option) *DB {
	tb.Helper()
	db, err := Open(path, options...)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	return db
}

func closeDB(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
}

func realm(tb testing.TB, db *DB, name string) *Store {
	tb.Helper()
	store, err := db.Realm(tb.Context(), name)
	if err != nil {
		tb.Fatalf("Realm: %v", err)
	}
	return store
}
