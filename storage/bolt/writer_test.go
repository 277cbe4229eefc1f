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

// do hands over a step that makes no use of callbacks.
func do(ctx context.Context, w *writer, run func(*bbolt.Tx) (bool, error)) error {
	return w.do(ctx, func(tx *bbolt.Tx, _ *step) (bool, error) { return run(tx) })
}

// hold occupies the writer until release is called, and returns when it is
// occupied: steps that are handed over meanwhile become one transaction.
func hold(t *testing.T, w *writer) (release func()) {
	t.Helper()
	held, free, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- do(t.Context(), w, func(*bbolt.Tx) (bool, error) {
			close(held)
			<-free
			return false, nil
		})
	}()
	<-held
	return sync.OnceFunc(func() {
		close(free)
		if err := <-ended; err != nil {
			t.Errorf("step that held the writer = %v, want nil", err)
		}
	})
}

type testStep = func(*bbolt.Tx) (bool, error)

// enqueue hands steps over behind a held writer, in order, and returns channels
// for their errors.
func enqueue(t *testing.T, w *writer, steps ...testStep) []chan error {
	t.Helper()
	results := make([]chan error, len(steps))
	for i, run := range steps {
		results[i] = make(chan error, 1)
		go func() { results[i] <- do(t.Context(), w, run) }()
		for len(w.queue) < i+1 {
			if t.Context().Err() != nil {
				t.Fatal("the step was never handed over")
			}
		}
	}
	return results
}

func putStep(key string) testStep {
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
		t.Fatalf("View = %v", err)
	}
	return there
}

func TestWaitingStepsShareOneCommit(t *testing.T) {
	db := openTemp(t)
	commits := countCommits(db)
	release := hold(t, db.writer)
	steps := make([]testStep, 50)
	for i := range steps {
		steps[i] = putStep(fmt.Sprint(i))
	}
	results := enqueue(t, db.writer, steps...)
	release()
	for i, result := range results {
		if err := <-result; err != nil || !stored(t, db, fmt.Sprint(i)) {
			t.Errorf("step %d = %v, want nil and a stored key", i, err)
		}
	}
	if *commits != 1 {
		t.Errorf("%d waiting steps took %d commits, want 1", len(steps), *commits)
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

// The suite shows that steps without a change write nothing; these have no commit.
func TestStepsThatWriteNothingCommitNothing(t *testing.T) {
	db := openTemp(t)
	store := realm(t, db, "main")
	commits := countCommits(db)
	ctx := t.Context()
	_, sweepErr := store.Sweep(ctx, origin)
	_, realmErr := db.Realm(ctx, "main")
	_, takeErr := store.TakeRecord(ctx, authcore.RecordKey{Kind: "link", Key: "unknown"}, origin)
	for name, err := range map[string]error{
		"DeleteRecord": store.DeleteRecord(ctx, authcore.RecordKey{Kind: "link", Key: "unknown"}),
		"MarkSeen":     store.MarkSeen(ctx, nil),
		"Sweep":        sweepErr,
		"Realm":        realmErr,
	} {
		if err != nil {
			t.Errorf("%s = %v, want nil", name, err)
		}
	}
	if !errors.Is(takeErr, authcore.ErrNotFound) || *commits != 0 {
		t.Errorf("TakeRecord = %v after %d commits, want ErrNotFound and none", takeErr, *commits)
	}
}

func TestFailingStepAffectsNoOther(t *testing.T) {
	for name, bad := range map[string]testStep{
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
			results := enqueue(t, db.writer, []testStep{putStep("a"), bad, putStep("b"), bad, putStep("c")}...)
			release()
			for i, result := range results {
				if err := <-result; (err == nil) != (i%2 == 0) {
					t.Errorf("step %d = %v, want an error of odd steps only", i, err)
				}
			}
			for key, want := range map[string]bool{"a": true, "b": true, "c": true, "bad": false} {
				if got := stored(t, db, key); got != want {
					t.Errorf("%s is stored: %v, want %v", key, got, want)
				}
			}
		})
	}
}

// The value of a panic may contain a secret; only runtime errors are quoted
// (CWE-209).
func TestPanicDisclosesNoSecret(t *testing.T) {
	db := openTemp(t)
	err := do(t.Context(), db.writer, func(*bbolt.Tx) (bool, error) { panic("secret") })
	if !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("step that panics = %v, want ErrUnavailable without the value", err)
	}
	err = do(t.Context(), db.writer, func(*bbolt.Tx) (bool, error) {
		var keys map[string]*authcore.SigningKey
		return keys["none"].ID == "", nil
	})
	if !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("step that dereferences nil = %v, want ErrUnavailable with the cause", err)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db.writer)
	ctx, cancel := context.WithCancel(t.Context())
	ran, waited := false, make(chan error, 1)
	go func() {
		waited <- do(ctx, db.writer, func(*bbolt.Tx) (bool, error) {
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
		t.Errorf("do with an ended context = %v, want ErrUnavailable and context.Canceled", err)
	}
	release()
	if err := do(t.Context(), db.writer, putStep("later")); err != nil {
		t.Fatalf("do = %v", err)
	}
	if ran {
		t.Error("a step ran after its caller had returned")
	}
}

func TestContextEndsTheWaitForAPlace(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db.writer)
	defer release()
	idle := func(*bbolt.Tx) (bool, error) { return false, nil }
	waiting := make([]testStep, queueLength)
	for i := range waiting {
		waiting[i] = idle
	}
	results := enqueue(t, db.writer, waiting...)
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- do(ctx, db.writer, idle) }()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("do with an ended context = %v, want context.Canceled", err)
	}
	release()
	for _, result := range results {
		if err := <-result; err != nil {
			t.Errorf("waiting step = %v, want nil", err)
		}
	}
}

// A caller whose context ends while its step is running returns immediately: the
// step may be reading from a disk that has stopped.
func TestContextEndsTheWaitForARunningStep(t *testing.T) {
	db := openTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	started, finish, called := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		<-started
		cancel()
	}()
	err := db.writer.do(ctx, func(_ *bbolt.Tx, s *step) (bool, error) {
		close(started)
		<-finish
		called <- s.call(func() { t.Error("a callback ran after its caller had returned") })
		return false, nil
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("do = %v, want ErrUnavailable and context.Canceled", err)
	}
	close(finish)
	if err := <-called; err == nil {
		t.Error("callback after its caller had returned = nil, want an error")
	}
}

// A callback that is running when its context ends is waited for: what it refers
// to belongs to the caller again when the call has returned.
func TestCallbackDoesNotOutliveItsCall(t *testing.T) {
	db := openTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	running, finish := false, make(chan struct{})
	started := make(chan struct{})
	go func() {
		<-started
		cancel()
		close(finish)
	}()
	_ = db.writer.do(ctx, func(_ *bbolt.Tx, s *step) (bool, error) {
		return false, s.call(func() {
			running = true
			close(started)
			<-finish
			running = false
		})
	})
	if running { // the race detector watches this read as well
		t.Error("the callback was still running")
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
		t.Errorf("Close = %v, want nil", err)
	}
	for _, result := range results { // committed or refused, never left waiting
		if err := <-result; err != nil && !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("waiting step = %v, want nil or ErrUnavailable", err)
		}
	}
	_, countErr := store.Count(t.Context(), origin, nil)
	_, readErr := store.User(t.Context(), authcore.UserRef{ID: "x"})
	_, realmErr := db.Realm(t.Context(), "other")
	if err := db.Close(); err != nil {
		t.Errorf("second Close = %v, want nil", err)
	}
	for name, err := range map[string]error{
		"watch":                   <-watch,
		"watch that begins later": store.WatchRevocations(t.Context(), func() {}),
		"write":                   store.DeleteRecord(t.Context(), authcore.RecordKey{}),
		"read":                    readErr,
		"count":                   countErr,
		"realm":                   realmErr,
	} {
		if !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("%s after Close = %v, want ErrUnavailable", name, err)
		}
	}
}
