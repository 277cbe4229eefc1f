package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

func TestCommitFailures(t *testing.T) {
	failure := errors.New("input/output error")
	t.Run("before the new state was written", func(t *testing.T) {
		db := openTemp(t)
		commit := db.writer.commit
		db.writer.commit = func(engine *bbolt.Tx) error { return errors.Join(failure, engine.Rollback()) }
		err := do(t.Context(), db.writer, putStep("a"))
		if !errors.Is(err, authcore.ErrUnavailable) || !errors.Is(err, failure) || stored(t, db, "a") {
			t.Errorf("step whose commit fails = %v, want ErrUnavailable and the cause", err)
		}
		db.writer.commit = commit
		if err := do(t.Context(), db.writer, putStep("b")); err != nil || stored(t, db, "a") || !stored(t, db, "b") {
			t.Errorf("step after a failed commit = %v, want nil and a stored key", err)
		}
	})
	t.Run("after the new state was written", func(t *testing.T) {
		// The last fsync fails. Linux then forgets which pages are not on disk, and a
		// second fsync succeeds.
		db := openTemp(t)
		store := realm(t, db, "main")
		commit := db.writer.commit
		db.writer.commit = func(engine *bbolt.Tx) error { return errors.Join(commit(engine), failure) }
		if err := do(t.Context(), db.writer, putStep("a")); !errors.Is(err, failure) {
			t.Errorf("step whose commit fails = %v, want the cause", err)
		}
		db.writer.commit = commit
		if err := do(t.Context(), db.writer, putStep("b")); !errors.Is(err, authcore.ErrUnavailable) || stored(t, db, "b") {
			t.Errorf("step after a commit that may be lost = %v, want ErrUnavailable", err)
		}
		if _, err := store.User(t.Context(), authcore.UserRef{ID: "x"}); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("read after a commit that may be lost = %v, want ErrUnavailable", err)
		}
	})
	t.Run("full", func(t *testing.T) {
		db := openTemp(t, func(options *bbolt.Options) { options.MaxSize = 128 << 10 })
		store := realm(t, db, "main")
		var err error
		records := 0
		for ; err == nil && records < 10_000; records++ {
			record := authcore.Record{
				RecordKey: authcore.RecordKey{Kind: "link", Key: fmt.Sprint(records)},
				Created:   origin, Expires: origin.Add(time.Hour), Data: []byte(strings.Repeat("d", 1000)),
			}
			err = store.PutRecord(t.Context(), record, authcore.PutOptions{Now: origin})
		}
		if !errors.Is(err, authcore.ErrUnavailable) {
			t.Fatalf("PutRecord %d into a full file = %v, want ErrUnavailable", records, err)
		}
		for i := range records - 1 { // acknowledged records are there, and may be taken
			key := authcore.RecordKey{Kind: "link", Key: fmt.Sprint(i)}
			if _, err := store.TakeRecord(t.Context(), key, origin); err != nil && !errors.Is(err, authcore.ErrUnavailable) {
				t.Errorf("TakeRecord %d in a full file = %v, want nil or ErrUnavailable", i, err)
			}
		}
	})
}

// bbolt panics while it holds its locks. The store fails from then on, and Close
// neither waits for these locks nor keeps the file from being opened again.
func TestPanicBreaksTheStore(t *testing.T) {
	for name, breaks := range map[string]func(*DB){
		"in Commit": func(db *DB) { db.writer.commit = func(*bbolt.Tx) error { panic("page 7 already freed") } },
		"in Begin": func(db *DB) {
			begin := db.writer.begin
			db.writer.begin = func(writable bool) (*bbolt.Tx, error) {
				_, _ = begin(writable) // the lock stays held
				panic("invalid meta pages")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "auth.db")
			db := openFile(t, path)
			store := realm(t, db, "main")
			breaks(db)
			for range 2 {
				if err := do(t.Context(), db.writer, putStep("a")); !errors.Is(err, authcore.ErrUnavailable) {
					t.Errorf("step = %v, want ErrUnavailable", err)
				}
			}
			if _, err := store.User(t.Context(), authcore.UserRef{ID: "x"}); !errors.Is(err, authcore.ErrUnavailable) {
				t.Errorf("read = %v, want ErrUnavailable", err)
			}
			_ = db.Close() // reports what it left behind
			again := openFile(t, path, WithLockTimeout(time.Millisecond))
			if stored(t, again, "a") {
				t.Error("a step that failed is stored")
			}
			closeDB(t, again)
		})
	}
}
