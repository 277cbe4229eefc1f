package bolt

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

func TestCommitFailures(t *testing.T) {
	failure := errors.New("input/output error")
	t.Run("before the new state was written", func(t *testing.T) {
		db := openTemp(t)
		commit := db.writer.commit
		db.writer.commit = func(engine *bbolt.Tx) error { return errors.Join(failure, engine.Rollback()) }
		err := db.writer.do(t.Context(), putStep("a"))
		if !errors.Is(err, authcore.ErrUnavailable) || !errors.Is(err, failure) || stored(t, db, "a") {
			t.Errorf("failing commit: error %v", err)
		}
		db.writer.commit = commit
		if err := db.writer.do(t.Context(), putStep("b")); err != nil || stored(t, db, "a") || !stored(t, db, "b") {
			t.Errorf("commit after a failed one: error %v", err)
		}
	})
	t.Run("after the new state was written", func(t *testing.T) {
		// The last fsync fails. Linux forgets after that which pages are not on
		// disk, and a second fsync says that all is well.
		db := openTemp(t)
		commit := db.writer.commit
		db.writer.commit = func(engine *bbolt.Tx) error { return errors.Join(commit(engine), failure) }
		if err := db.writer.do(t.Context(), putStep("a")); !errors.Is(err, failure) {
			t.Errorf("failing commit: error %v", err)
		}
		db.writer.commit = commit
		if err := db.writer.do(t.Context(), putStep("b")); !errors.Is(err, authcore.ErrUnavailable) || stored(t, db, "b") {
			t.Errorf("commit on top of one that may be lost: error %v", err)
		}
	})
	t.Run("panic", func(t *testing.T) {
		db := openTemp(t)
		db.writer.commit = func(*bbolt.Tx) error { panic("page 7 already freed") }
		for range 2 {
			if err := db.writer.do(t.Context(), putStep("a")); !errors.Is(err, authcore.ErrUnavailable) {
				t.Errorf("panicking commit: error %v", err)
			}
		}
	})
	t.Run("full", func(t *testing.T) {
		db := openTemp(t, func(options *bbolt.Options) { options.MaxSize = 128 << 10 })
		store := realm(t, db, "main")
		var err error
		flows := 0
		for ; err == nil && flows < 10_000; flows++ {
			err = store.PutFlow(t.Context(), authcore.Flow{
				State: authcore.DigestOf("flow", fmt.Sprint(flows)), Verifier: strings.Repeat("v", 1000), Expires: origin,
			})
		}
		if !errors.Is(err, authcore.ErrUnavailable) {
			t.Fatalf("after %d flows: error %v", flows, err)
		}
		for i := range flows - 1 { // what was acknowledged is there, and may be taken
			state := authcore.DigestOf("flow", fmt.Sprint(i))
			if _, err := store.TakeFlow(t.Context(), state, origin.Add(-1)); err != nil && !errors.Is(err, authcore.ErrUnavailable) {
				t.Errorf("flow %d in the full file: %v", i, err)
			}
		}
	})
}
