package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

func TestMain(m *testing.M) {
	SetLogger(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// runSuite runs the suite with one Redis and a realm for each check, so that every
// check also tests that realms are separate.
func runSuite(t *testing.T, config Config) {
	t.Helper()
	db := open(t, config)
	db.counters = counterBounds{hashes: 1, perHash: 20}
	var realms atomic.Int64
	storagetest.Run(t, storagetest.Config{
		Open: func(t *testing.T) authcore.Store {
			t.Helper()
			return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
		},
		Clock:       true,
		MaxCounters: 20,
		Damage: func(t *testing.T, store authcore.Store, item authcore.Item) bool {
			t.Helper()
			return damage(t, store.(*Store), item, "secret")
		},
		SweepsBlindly: true, // it decodes users with expired items only
		Writes: func(t *testing.T, _ authcore.Store) int64 {
			t.Helper()
			return changes(t, db)
		},
		OpenNewer: func(t *testing.T) error {
			t.Helper()
			store := realm(t, db, "newer")
			command(t, store, "hset", store.key("meta"), "format", authcore.Format+1)
			_, err := db.Realm(t.Context(), "newer")
			return err
		},
	})
}

// damage replaces a stored item by a text.
func damage(t *testing.T, s *Store, item authcore.Item, text string) bool {
	t.Helper()
	switch {
	case item.User != nil:
		command(t, s, "hset", s.key("u:", item.User.ID), userField, text)
	case item.Identity != nil:
		command(t, s, "hset", s.key("u:", item.Identity.UserID), identityField+digest(item.Identity.Key()), text)
	case item.Session != nil:
		command(t, s, "hset", s.key("u:", item.Session.UserID), sessionField+item.Session.ID, text)
	case item.Record != nil:
		command(t, s, "set", s.recordKey(item.Record.RecordKey), text)
	case item.Revocation != nil:
		command(t, s, "set", s.key("v:", string(item.Revocation.Kind), ":", item.Revocation.ID), text)
	}
	return item.Key == nil
}

// changes returns the number of changes that a server has made.
func changes(t *testing.T, db *DB) int64 {
	t.Helper()
	var total int64
	err := db.eachPrimary(t.Context(), func(ctx context.Context, server *goredis.Client) error {
		text, err := server.Info(ctx, "persistence").Result()
		n, parseErr := strconv.ParseInt(parseInfo(text)["rdb_changes_since_last_save"], 10, 64)
		atomic.AddInt64(&total, n)
		return errors.Join(err, parseErr)
	})
	if err != nil {
		t.Fatalf("counting changes failed: %v", err)
	}
	return total
}

// command sends a command and returns the result, nil for none.
func command(tb testing.TB, s *Store, arguments ...any) any {
	tb.Helper()
	value, err := s.db.client.Do(tb.Context(), arguments...).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		tb.Fatalf("command %v failed: %v", arguments[0], err)
	}
	return value
}

func TestStore(t *testing.T) { runSuite(t, Config{URL: redistest.Start(t, "appendonly no").URL()}) }

func TestStoreUnderSentinel(t *testing.T) {
	t.Parallel()
	runSuite(t, Config{URL: redistest.StartGroup(t, 1, "appendonly no").URL(), Sentinel: redistest.PrimaryName})
}

func TestStoreInCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "appendonly no")
	runSuite(t, Config{URL: cluster.URL(), Cluster: true})
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

// open opens a DB that the test closes. Its timeouts do not end calls on a busy machine.
func open(tb testing.TB, config Config) *DB {
	tb.Helper()
	db := openFor(tb, config)
	tb.Cleanup(func() { closeDB(tb, db) })
	return db
}

// openFor is open for a DB that the caller closes.
func openFor(tb testing.TB, config Config) *DB {
	tb.Helper()
	address, err := url.Parse(config.URL)
	if err != nil {
		tb.Fatalf("Parse failed: %v", err)
	}
	values := address.Query()
	for _, name := range []string{"dial_timeout", "read_timeout", "write_timeout", "pool_timeout"} {
		values.Set(name, "60s")
	}
	address.RawQuery = values.Encode()
	config.URL = address.String()
	db := openUnchanged(tb, config)
	db.timeout, db.replicaTimeout = time.Minute, 30*time.Second
	return db
}

// openBounded is open with the timeouts of the product, for servers that do not respond.
func openBounded(tb testing.TB, config Config) *DB {
	tb.Helper()
	db := openUnchanged(tb, config)
	tb.Cleanup(func() { closeDB(tb, db) })
	return db
}

func openUnchanged(tb testing.TB, config Config) *DB {
	tb.Helper()
	db, err := Open(config)
	if err != nil {
		tb.Fatalf("Open failed: %v", err)
	}
	return db
}

func closeDB(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Errorf("Close failed: %v", err)
	}
}

func realm(tb testing.TB, db *DB, name string) *Store {
	tb.Helper()
	store, err := db.Realm(tb.Context(), name)
	if err != nil {
		tb.Fatalf("Realm failed: %v", err)
	}
	return store
}
