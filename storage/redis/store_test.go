package redis

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// runSuite runs the suite with one Redis and a realm for each check, so that every
// check is one on the realms' being apart as well.
func runSuite(t *testing.T, config Config) {
	db := open(t, config)
	var realms atomic.Int64
	storagetest.Run(t, func(t *testing.T) authcore.Store {
		t.Helper()
		return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
	})
}

func TestStore(t *testing.T) { runSuite(t, Config{URL: redistest.Start(t, "appendonly no").URL()}) }

func TestStoreUnderSentinel(t *testing.T) {
	t.Parallel()
	runSuite(t, Config{URL: redistest.StartGroup(t, 1, "appendonly no").URL(), Sentinel: redistest.PrimaryName})
}

func TestStoreInCluster(t *testing.T) {
	t.Parallel()
	runSuite(t, Config{URL: redistest.StartCluster(t, "appendonly no").URL(), Cluster: true})
}

// TestDurability kills the server between any two steps.
func TestDurability(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	realms := 0
	storagetest.RunDurable(t, func(t *testing.T) func() authcore.Store {
		t.Helper()
		realms++
		name := fmt.Sprint("realm", realms)
		var db *DB
		t.Cleanup(func() { closeDB(t, db) })
		return func() authcore.Store {
			if db != nil {
				closeDB(t, db)
				server.Kill(t)
				server.Start(t)
			}
			db = openFor(t, Config{URL: server.URL()})
			return realm(t, db, name)
		}
	})
}

// open opens a DB that the test closes.
func open(tb testing.TB, config Config) *DB {
	tb.Helper()
	db := openFor(tb, config)
	tb.Cleanup(func() { closeDB(tb, db) })
	return db
}

func openFor(tb testing.TB, config Config) *DB {
	tb.Helper()
	db, err := Open(config)
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
