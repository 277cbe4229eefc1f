package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/storagetest"
	"go.etcd.io/bbolt"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// TestStore runs the suite with one file and a realm for each check, so that each
// check also shows that realms are separate.
func TestStore(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	var realms atomic.Int64
	storagetest.Run(t, storagetest.Config{
		Open: func(t *testing.T) authcore.Store {
			t.Helper()
			return realm(t, db, fmt.Sprint("realm", realms.Add(1)))
		},
		Damage: damage,
		Writes: func(t *testing.T, _ authcore.Store) (n int64) {
			t.Helper()
			err := db.bolt.View(func(tx *bbolt.Tx) error {
				n = int64(tx.ID())
				return nil
			})
			if err != nil {
				t.Errorf("View = %v", err)
			}
			return n
		},
		OpenNewer: func(t *testing.T) error {
			t.Helper()
			path := filepath.Join(t.TempDir(), "auth.db")
			closeDB(t, openFile(t, path))
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket(metaBucket).Put(formatKey, fmt.Append(nil, authcore.Format+1))
			})
			_, err := Open(path)
			return err
		},
	})
}

// damage overwrites the stored form of an item.
func damage(t *testing.T, store authcore.Store, item authcore.Item) bool {
	t.Helper()
	var key []byte
	switch {
	case item.User != nil:
		key = fmt.Appendf(nil, "a%s\x00", item.User.ID)
	case item.Identity != nil:
		i := item.Identity
		key = fmt.Appendf(nil, "a%s\x00i%s\x00%s\x00%s\x00a", i.UserID, i.Provider, i.Issuer, i.Subject)
	case item.Session != nil:
		key = fmt.Appendf(nil, "a%s\x00s%s", item.Session.UserID, item.Session.ID)
	case item.Record != nil:
		key = fmt.Appendf(nil, "r%s\x00%s", item.Record.Kind, item.Record.Key)
	}
	s := store.(*Store)
	err := s.db.writer.do(t.Context(), func(tx *bbolt.Tx, _ *step) (bool, error) {
		realm := tx.Bucket([]byte(nameOf(t, s)))
		if r := item.Revocation; r != nil {
			key = append([]byte("f"), realm.Get(fmt.Appendf(nil, "g%s\x00%s", r.Kind, r.ID))...)
		}
		former := realm.Get(key)
		if former == nil {
			return false, errors.New("the item is not stored")
		}
		// Times are intact: Sweep must not judge by them alone.
		return true, realm.Put(key, append(bytes.Clone(former), '!'))
	})
	if err != nil {
		t.Fatalf("damage %q = %v", key, err)
	}
	if item.Session == nil && item.Record == nil {
		return true
	}
	// Sweep looks at items whose time has come.
	err = s.db.writer.do(t.Context(), func(tx *bbolt.Tx, _ *step) (bool, error) {
		return true, tx.Bucket([]byte(nameOf(t, s))).Put(append([]byte("x\x00\x00\x00\x00\x00\x00\x00\x00"), key...), nil)
	})
	if err != nil {
		t.Fatalf("file %q for Sweep = %v", key, err)
	}
	return true
}

// nameOf returns the bucket of a store.
func nameOf(t *testing.T, s *Store) string {
	t.Helper()
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	for name, store := range s.db.realms {
		if store == s {
			return realmPrefix + name
		}
	}
	t.Fatal("the store belongs to no realm")
	return ""
}

// A login whose commit fails leaves the link usable.
func TestLoginFaults(t *testing.T) {
	db := openTemp(t)
	commit := db.writer.commit
	storagetest.RunLoginFaults(t, realm(t, db, "main"), func(n int) (disarm func()) {
		err := do(t.Context(), db.writer, func(*bbolt.Tx) (bool, error) { // the writer is idle after it
			db.writer.commit = func(tx *bbolt.Tx) error {
				if n--; n < 0 {
					return errors.Join(errRefused, tx.Rollback())
				}
				return commit(tx)
			}
			return false, nil
		})
		if err != nil {
			t.Errorf("arm = %v, want nil", err)
		}
		return func() {
			_ = do(t.Context(), db.writer, func(*bbolt.Tx) (bool, error) {
				db.writer.commit = commit
				return false, nil
			})
		}
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

// openTemp opens a new file, which the test closes and removes.
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
		tb.Fatalf("Open(%s) = %v", path, err)
	}
	return db
}

func closeDB(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.Close(); err != nil {
		tb.Errorf("Close = %v", err)
	}
}

func realm(tb testing.TB, db *DB, name string) *Store {
	tb.Helper()
	store, err := db.Realm(tb.Context(), name)
	if err != nil {
		tb.Fatalf("Realm(%s) = %v", name, err)
	}
	return store
}

// edit changes a file with bbolt.
func edit(tb testing.TB, path string, change func(*bbolt.Tx) error) {
	tb.Helper()
	file, err := bbolt.Open(path, fileMode, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		tb.Fatalf("bbolt.Open = %v", err)
	}
	if err := errors.Join(file.Update(change), file.Close()); err != nil {
		tb.Fatalf("Update = %v", err)
	}
}
