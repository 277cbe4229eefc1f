package bolt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

var errRefused = errors.New("refused")

// hold occupies the writer until release is called, and returns when it is
// occupied: what is handed over meanwhile becomes one transaction.
func hold(t *testing.T, w *writer) (release func()) {
	t.Helper()
	held, free, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.do(t.Context(), func(*bbolt.Tx) (bool, error) {
			close(held)
			<-free
			return false, nil
		})
	}()
	<-held
	return sync.OnceFunc(func() {
		close(free)
		if err := <-ended; err != nil {
			t.Errorf("the step that held the writer: %v", err)
		}
	})
}

// enqueue hands steps over behind a held writer, in order, and returns where
// their errors arrive.
func enqueue(t *testing.T, w *writer, steps ...stepFunc) []chan error {
	t.Helper()
	results := make([]chan error, len(steps))
	for i, run := range steps {
		results[i] = make(chan error, 1)
		go func() { results[i] <- w.do(t.Context(), run) }()
		for len(w.queue) < i+1 {
			if t.Context().Err() != nil {
				t.Fatal("the step was never handed over")
			}
		}
	}
	return results
}

func putStep(key string) stepFunc {
	return func(engine *bbolt.Tx) (bool, error) {
		return true, engine.Bucket(metaBucket).Put([]byte(key), []byte("there"))
	}
}

func stored(t *testing.T, db *DB, key string) bool {
	t.Helper()
	there := false
	err := db.bolt.View(func(engine *bbolt.Tx) error {
		there = engine.Bucket(metaBucket).Get([]byte(key)) != nil
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return there
}

func TestWaitingStepsShareOneCommit(t *testing.T) {
	db := openTemp(t)
	commits := countCommits(db)
	release := hold(t, db.writer)
	steps := make([]stepFunc, 50)
	for i := range steps {
		steps[i] = putStep(fmt.Sprint(i))
	}
	results := enqueue(t, db.writer, steps...)
	release()
	for i, result := range results {
		if err := <-result; err != nil || !stored(t, db, fmt.Sprint(i)) {
			t.Errorf("step %d: error %v", i, err)
		}
	}
	if *commits != 1 {
		t.Errorf("%d steps that waited together took %d commits", len(steps), *commits)
	}
}

// countCommits counts the commits of a writer that is idle now. Read it when the
// writer is idle again.
func countCommits(db *DB) *int {
	commits := new(int)
	commit := db.writer.commit
	db.writer.commit = func(engine *bbolt.Tx) error {
		*commits++
		return commit(engine)
	}
	return commits
}

func TestStepsThatWriteNothingCommitNothing(t *testing.T) {
	db := openTemp(t)
	store := realm(t, db, "main")
	commits := countCommits(db)
	ctx := t.Context()
	key := []authcore.SigningKey{{ID: "a", Private: []byte("x")}}
	same := func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil }
	check := func(step string, want int, err, wantErr error) {
		t.Helper()
		if !errors.Is(err, wantErr) || *commits != want {
			t.Errorf("%s: error %v, %d commits so far; want %v and %d", step, err, *commits, wantErr, want)
		}
	}
	_, err := store.TakeLink(ctx, authcore.Digest{1}, origin)
	check("TakeLink of an unknown secret", 0, err, authcore.ErrNotFound)
	_, err = store.UpdateKeys(ctx, same)
	check("UpdateKeys without keys", 0, err, nil)
	_, err = store.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) { return key, nil })
	check("UpdateKeys with a key", 1, err, nil)
	_, err = store.UpdateKeys(ctx, same)
	check("UpdateKeys unchanged", 1, err, nil)
	check("Sweep of nothing", 1, store.Sweep(ctx, origin), nil)
	check("MarkSeen of nothing", 1, store.MarkSeen(ctx, nil), nil)
	_, err = db.Realm(ctx, "main")
	check("Realm again", 1, err, nil)
}

func TestOneFailingStepHarmsNoOther(t *testing.T) {
	for name, bad := range map[string]stepFunc{
		"error before a write": func(*bbolt.Tx) (bool, error) { return false, errRefused },
		"error after a write": func(engine *bbolt.Tx) (bool, error) {
			_, err := putStep("bad")(engine)
			return true, errors.Join(err, errRefused)
		},
		"panic after a write": func(engine *bbolt.Tx) (bool, error) {
			_, _ = putStep("bad")(engine)
			panic(errRefused)
		},
		"fault": func(*bbolt.Tx) (bool, error) {
			var none map[string][]bool
			return none["none"][0], nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			release := hold(t, db.writer)
			results := enqueue(t, db.writer, []stepFunc{putStep("a"), bad, putStep("b"), bad, putStep("c")}...)
			release()
			for i, result := range results {
				if err := <-result; (err == nil) != (i%2 == 0) {
					t.Errorf("step %d: error %v", i, err)
				}
			}
			for key, want := range map[string]bool{"a": true, "b": true, "c": true, "bad": false} {
				if got := stored(t, db, key); got != want {
					t.Errorf("%s is there: %v, want %v", key, got, want)
				}
			}
		})
	}
}

// A panic may carry what it was about; only faults of the program itself are
// cited (CWE-209).
func TestPanicTellsNoSecret(t *testing.T) {
	store := realm(t, openTemp(t), "main")
	_, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
		panic("secret")
	})
	if !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error of a panicking change: %v", err)
	}
	_, err = store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
		var keys map[string]*authcore.SigningKey
		return []authcore.SigningKey{*keys["none"]}, nil
	})
	if !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("error of a change that dereferences nil: %v", err)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db.writer)
	ctx, cancel := context.WithCancel(t.Context())
	ran, waited := false, make(chan error, 1)
	go func() {
		waited <- db.writer.do(ctx, func(*bbolt.Tx) (bool, error) {
			ran = true
			return false, nil
		})
	}()
	for len(db.writer.queue) == 0 && t.Context().Err() == nil {
		continue // until it waits in the queue
	}
	cancel()
	err := <-waited // although the writer is held
	if !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	release()
	if err := db.writer.do(t.Context(), putStep("later")); err != nil {
		t.Fatal(err)
	}
	if ran {
		t.Error("a step ran whose caller had gone")
	}
}

func TestContextEndsTheWaitForAPlace(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db.writer)
	defer release()
	idle := func(*bbolt.Tx) (bool, error) { return false, nil }
	waiting := make([]stepFunc, queueLength)
	for i := range waiting {
		waiting[i] = idle
	}
	results := enqueue(t, db.writer, waiting...)
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- db.writer.do(ctx, idle) }()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	release()
	for _, result := range results {
		if err := <-result; err != nil {
			t.Errorf("error %v", err)
		}
	}
}

// A step that is running when its context ends is waited for: what it was given
// belongs to the caller again when the call has returned.
func TestStepDoesNotOutliveItsCall(t *testing.T) {
	db := openTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	running, finish := false, make(chan struct{})
	started := make(chan struct{})
	go func() {
		<-started
		cancel()
		close(finish)
	}()
	_ = db.writer.do(ctx, func(*bbolt.Tx) (bool, error) {
		running = true
		close(started)
		<-finish
		running = false
		return false, nil
	})
	if running { // the race detector watches this read as well
		t.Error("the step was still running")
	}
}

func TestClose(t *testing.T) {
	db := openTemp(t)
	store := realm(t, db, "main")
	watch := make(chan error, 1)
	go func() { watch <- store.WatchRevocations(t.Context(), func() {}) }()
	release := hold(t, db.writer)
	results := enqueue(t, db.writer, putStep("one"), putStep("two"))
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	<-db.writer.quit
	release()
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	for _, result := range results { // committed or refused, never left waiting
		if err := <-result; err != nil && !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("a step that waited: %v", err)
		}
	}
	_, countErr := store.Count(t.Context(), origin, nil)
	_, readErr := store.User(t.Context(), "x")
	_, realmErr := db.Realm(t.Context(), "other")
	if err := db.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	for step, err := range map[string]error{
		"watch":                <-watch,
		"watch begun after it": store.WatchRevocations(t.Context(), func() {}),
		"write":                store.PutFlow(t.Context(), authcore.Flow{}),
		"read":                 readErr,
		"count":                countErr,
		"realm":                realmErr,
	} {
		if !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("%s after Close: error %v", step, err)
		}
	}
}
