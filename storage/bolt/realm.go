package bolt

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
	"github.com/edgeauth/edgeauth/storage/memory"
	"go.etcd.io/bbolt"
)

// Store is one realm of a DB: an authcore.Store that is valid until the DB is
// closed. It is safe for concurrent use. DB.Realm returns it.
//
// Callbacks run in the goroutine that writes, one at a time.
type Store struct {
	*memory.Store
	db *DB
}

// Realm returns the realm with this name, and creates it if it does not exist.
// Each name has one Store for the life of the DB, so that all callers share its
// counters and watches.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if name == "" {
		return nil, errors.New("bolt: realm: the name is empty; choose a name")
	}
	bucket := []byte(realmPrefix + name)
	err := db.writer.do(ctx, func(tx *bbolt.Tx, _ *step) (wrote bool, err error) {
		if tx.Bucket(bucket) != nil {
			return false, nil
		}
		if _, err := tx.CreateBucket(bucket); err != nil {
			return true, unavailable(err)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.writer.closed() {
		return nil, errClosed
	}
	store, found := db.realms[name]
	if !found {
		store = &Store{Store: memory.On(&engine{db: db, bucket: bucket}), db: db}
		db.realms[name] = store
	}
	return store, nil
}

// Realms returns the names of the realms in the file, sorted.
func (db *DB) Realms(ctx context.Context) ([]string, error) {
	var names []string
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(bucket []byte, _ *bbolt.Bucket) error {
			if name, found := strings.CutPrefix(string(bucket), realmPrefix); found {
				names = append(names, name)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Count implements authcore.Counters. Counters survive a reload, with the Store,
// but not a restart.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	if s.db.writer.closed() {
		return nil, errClosed
	}
	return s.Store.Count(ctx, now, counters)
}

// view runs a function in a read transaction. It uses a goroutine, so that it can
// return when the context ends or when bbolt panicked while it held a lock, for
// which other readers then wait forever.
func (db *DB) view(ctx context.Context, run func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if db.broken.isSet() {
		return errBroken
	}
	done := make(chan error, 1)
	go func() { done <- db.read(run) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-db.broken.happened:
		return errBroken
	}
}

func (db *DB) read(run func(*bbolt.Tx) error) error {
	var tx *bbolt.Tx
	err := db.broken.critical(func() (err error) {
		tx, err = db.bolt.Begin(false)
		return err
	})
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = db.broken.critical(tx.Rollback) }()
	return guard("step", func() error { return run(tx) })
}

// engine runs the transactions of one realm.
type engine struct {
	db     *DB
	bucket []byte
}

// View implements kv.Engine.
func (e *engine) View(ctx context.Context, run func(kv.Tx) error) error {
	return e.db.view(ctx, func(tx *bbolt.Tx) error { return run(&realmTx{bucket: tx.Bucket(e.bucket)}) })
}

// Update implements kv.Engine.
func (e *engine) Update(ctx context.Context, run func(kv.Tx) error) error {
	return e.db.writer.do(ctx, func(tx *bbolt.Tx, s *step) (bool, error) {
		t := &realmTx{bucket: tx.Bucket(e.bucket), step: s}
		err := run(t)
		return t.wrote, err
	})
}

// realmTx is a transaction in one realm.
type realmTx struct {
	bucket *bbolt.Bucket
	step   *step
	wrote  bool
}

// Get implements kv.Tx.
func (t *realmTx) Get(key []byte) []byte { return t.bucket.Get(key) }

// From implements kv.Tx.
func (t *realmTx) From(key []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		cursor := t.bucket.Cursor()
		for key, value := cursor.Seek(key); key != nil && yield(key, value); {
			key, value = cursor.Next()
		}
	}
}

// Put implements kv.Tx.
func (t *realmTx) Put(key, value []byte) error {
	t.wrote = true
	if err := t.bucket.Put(key, value); err != nil {
		return unavailable(err)
	}
	return nil
}

// Delete implements kv.Tx.
func (t *realmTx) Delete(key []byte) error {
	cursor := t.bucket.Cursor()
	if found, _ := cursor.Seek(key); !bytes.Equal(found, key) {
		return nil
	}
	t.wrote = true
	if err := cursor.Delete(); err != nil {
		return unavailable(err)
	}
	return nil
}

// Call implements kv.Tx.
func (t *realmTx) Call(callback func()) error { return t.step.call(callback) }

var _ authcore.Store = (*Store)(nil)
