package bolt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
	"go.etcd.io/bbolt"
)

// Store is one realm of a DB: an authcore.Store, safe for concurrent use, that
// lives until the DB is closed. Get it with DB.Realm.
//
// The functions that UpdateUser, UpdateFlow, EndSessions and UpdateKeys are given
// run in the goroutine that writes: they must not call the store and should be
// quick. One that panics ends its own call with an error and nothing else.
type Store struct {
	db       *DB
	bucket   []byte
	counters *memory.Counters
	watchers *memory.Watchers
}

// Realm returns the realm of this name and makes it where it is missing. One name
// gives one Store for the life of the DB, so that its counters and watches are
// shared by all who ask for it.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if name == "" {
		return nil, errors.New("bolt: a realm needs a name")
	}
	bucket := []byte(realmPrefix + name)
	err := db.writer.do(ctx, func(engine *bbolt.Tx) (bool, error) { return makeRealm(engine, bucket) })
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
		store = &Store{
			db:       db,
			bucket:   bucket,
			counters: memory.NewCounters(),
			watchers: memory.NewWatchers(),
		}
		db.realms[name] = store
	}
	return store, nil
}

// Realms returns the names of the realms in the file, sorted, and makes none.
func (db *DB) Realms(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	var names []string
	err := db.bolt.View(func(engine *bbolt.Tx) error {
		return engine.ForEach(func(bucket []byte, _ *bbolt.Bucket) error {
			if name, found := strings.CutPrefix(string(bucket), realmPrefix); found {
				names = append(names, name)
			}
			return nil
		})
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return names, nil
}

// makeRealm reports whether it had to write.
func makeRealm(engine *bbolt.Tx, name []byte) (bool, error) {
	wrote := false
	realm := engine.Bucket(name)
	if realm == nil {
		wrote = true
		created, err := engine.CreateBucket(name)
		if err != nil {
			return wrote, unavailable(err)
		}
		realm = created
	}
	for _, table := range tables {
		if realm.Bucket([]byte(table)) == nil {
			wrote = true
			if _, err := realm.CreateBucket([]byte(table)); err != nil {
				return wrote, unavailable(err)
			}
		}
	}
	return wrote, nil
}

// Count adds one to each counter. See authcore.Counters. Counters outlive a
// reload, with the Store, and not a restart.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	if s.db.writer.closed() {
		return nil, errClosed
	}
	return s.counters.Count(ctx, now, counters)
}

// read runs a function that only reads, beside others and beside the writer.
func read[T any](ctx context.Context, s *Store, run func(*tx) (T, error)) (T, error) {
	var none, result T
	if err := ctx.Err(); err != nil {
		return none, unavailable(err)
	}
	var runErr error
	err := s.db.bolt.View(func(engine *bbolt.Tx) error {
		result, runErr = run(s.tx(engine))
		return nil
	})
	if err != nil {
		return none, unavailable(err)
	}
	if runErr != nil {
		return none, runErr
	}
	return result, nil
}

// write runs a function as one step of the writer and returns when it is on disk.
// The function may be run again after others failed, and must not keep anything
// from one run to the next.
func write[T any](ctx context.Context, s *Store, run func(*tx) (T, error)) (T, error) {
	var none, result T
	err := s.db.writer.do(ctx, func(engine *bbolt.Tx) (bool, error) {
		t := s.tx(engine)
		var err error
		result, err = run(t)
		return t.wrote, err
	})
	if err != nil {
		return none, err
	}
	return result, nil
}

// change is write for steps without a result.
func change(ctx context.Context, s *Store, run func(*tx) error) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) { return struct{}{}, run(t) })
	return err
}

func (s *Store) tx(engine *bbolt.Tx) *tx {
	return &tx{engine: engine, realm: engine.Bucket(s.bucket), notify: s.watchers.Notify}
}

// unavailable wraps what the engine or the context said.
func unavailable(err error) error {
	return fmt.Errorf("bolt: %w: %w", authcore.ErrUnavailable, err)
}

var _ authcore.Store = (*Store)(nil)
