package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// Store is an authcore.Store for one realm of which this process is the only user. It
// is safe for concurrent use. Its counters and watches are lost when it is dropped. Use
// New or On to make one.
type Store struct {
	*kv.Store
	counters *Counters
	watchers *watchers
}

// New returns an empty store. It needs no closing, and loses everything when it is
// dropped.
func New() *Store { return On(newEngine()) }

// On returns a store that keeps everything but counters and watches in an engine.
func On(engine kv.Engine) *Store {
	watchers := newWatchers()
	return &Store{Store: kv.New(engine, watchers.notify), counters: NewCounters(), watchers: watchers}
}

// Count implements authcore.Counters.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	return s.counters.Count(ctx, now, counters)
}

// WatchRevocations implements authcore.Revocations. It calls notify at the
// beginning and after each step that added a revocation.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	return s.watchers.watch(ctx, notify)
}

// CloseWatches ends every present and future WatchRevocations. It must be called once
// at most.
func (s *Store) CloseWatches() { s.watchers.close() }

// Sweep implements authcore.Store.
func (s *Store) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	s.counters.Sweep(now)
	return s.Store.Sweep(ctx, now)
}

// engine runs one transaction at a time on entries in memory.
type engine struct {
	// lock holds a value while a transaction runs, so that waiting for it ends
	// with the caller's context.
	lock    chan struct{}
	entries entries
}

func newEngine() *engine { return &engine{lock: make(chan struct{}, 1)} }

// View implements kv.Engine.
func (e *engine) View(ctx context.Context, run func(kv.Tx) error) error { return e.Update(ctx, run) }

// Update implements kv.Engine. An error or a panic undoes the writes.
func (e *engine) Update(ctx context.Context, run func(kv.Tx) error) error {
	if err := contextError(ctx); err != nil {
		return err
	}
	select {
	case e.lock <- struct{}{}:
	case <-ctx.Done():
		return contextError(ctx)
	}
	defer func() { <-e.lock }()
	t := &tx{entries: &e.entries}
	err := kv.Recover("step", func() error { return run(t) })
	if err != nil {
		t.rollback()
	}
	return err
}

// tx is a transaction. It writes immediately and records how to undo that.
type tx struct {
	entries *entries
	undo    []undo
}

// undo holds the entry of a key before a write.
type undo struct {
	former  entry
	key     []byte
	present bool
}

// Get implements kv.Tx.
func (t *tx) Get(key []byte) []byte {
	found, _, _, _ := t.entries.get(key)
	return found.value
}

// From implements kv.Tx.
func (t *tx) From(key []byte) iter.Seq2[[]byte, []byte] { return t.entries.from(key) }

// Put implements kv.Tx.
func (t *tx) Put(key, value []byte) error {
	key = bytes.Clone(key)
	former, present := t.entries.put(entry{key: key, value: value})
	t.undo = append(t.undo, undo{former: former, key: key, present: present})
	return nil
}

// Delete implements kv.Tx.
func (t *tx) Delete(key []byte) error {
	if former, present := t.entries.remove(key); present {
		t.undo = append(t.undo, undo{former: former, key: former.key, present: true})
	}
	return nil
}

// Call implements kv.Tx. The caller waits for the transaction in any case.
func (t *tx) Call(callback func()) error {
	callback()
	return nil
}

func (t *tx) rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		if u := t.undo[i]; u.present {
			t.entries.put(u.former)
		} else {
			t.entries.remove(u.key)
		}
	}
}

// contextError returns an error as Store demands it if the context has ended.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w: %w", authcore.ErrUnavailable, err)
	}
	return nil
}

var _ authcore.Store = (*Store)(nil)
