package kv

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"

	"github.com/edgeauth/edgeauth/authcore"
)

// Engine runs transactions of one realm. An error of run ends the transaction
// without effect and is returned unchanged; the engine's own errors wrap
// authcore.ErrUnavailable. A panic in run becomes such an error.
type Engine interface {
	// View runs a function that only reads.
	View(ctx context.Context, run func(Tx) error) error
	// Update runs a function and makes its writes durable. It may run the
	// function more than once, and may return before the function does if the
	// context ends.
	Update(ctx context.Context, run func(Tx) error) error
}

// Tx is a transaction on ordered keys. Keys and values that it returns are valid
// until the transaction ends and must not be changed. Engines keep the values
// that they are given, which callers do not change either.
type Tx interface {
	// Get returns the value of a key, or nil.
	Get(key []byte) []byte
	// From iterates over entries in the order of their keys, beginning at the
	// first key that is not less than the given one. The loop body must not write.
	From(key []byte) iter.Seq2[[]byte, []byte]
	Put(key, value []byte) error
	// Delete deletes a key. Deleting an absent key is not an error.
	Delete(key []byte) error
	// Call runs a callback of the caller, unless the caller has stopped waiting
	// for the transaction; then it returns an error. While a callback runs, its
	// caller does not return.
	Call(callback func()) error
}

// Store implements the methods of authcore.Store that need a transaction.
type Store struct {
	engine Engine
	notify func()
}

// New returns a Store on an engine. It calls notify after revocations were added.
func New(engine Engine, notify func()) *Store {
	return &Store{engine: engine, notify: notify}
}

// tx adds the helpers of all steps to a transaction.
type tx struct {
	Tx
	revoked bool
	// failed is the first error of put, delete or encode. It ends the transaction
	// without effect.
	failed error
}

// view runs a step that only reads. After an error the step may still be running, so
// that nothing that it writes to may be read.
func view[T any](ctx context.Context, s *Store, run func(*tx) (T, error)) (T, error) {
	var result T
	err := s.engine.View(ctx, func(t Tx) (err error) {
		result, err = run(&tx{Tx: t})
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// page holds what a step returned, and the cursor to continue with.
type page[T any] struct {
	items []T
	next  string
}

// viewPage runs a step that reads a page of items.
func viewPage[T any](ctx context.Context, s *Store, run func(*tx) (items []T, next string)) ([]T, string, error) {
	result, err := view(ctx, s, func(t *tx) (page[T], error) {
		items, next := run(t)
		return page[T]{items, next}, nil
	})
	return result.items, result.next, err
}

// update runs a step. For an error see view.
func update[T any](ctx context.Context, s *Store, run func(*tx) (T, error)) (T, error) {
	var result T
	var revoked bool
	err := s.engine.Update(ctx, func(t Tx) (err error) {
		x := &tx{Tx: t}
		result, err = run(x)
		revoked = x.revoked
		return cmp.Or(x.failed, err)
	})
	if err != nil {
		var none T
		return none, err
	}
	if revoked {
		s.notify()
	}
	return result, nil
}

// change is update for steps without a result.
func change(ctx context.Context, s *Store, run func(*tx) error) error {
	_, err := update(ctx, s, func(t *tx) (struct{}, error) { return struct{}{}, run(t) })
	return err
}

// prefix iterates over the entries whose keys begin with the prefix.
func (t *tx) prefix(prefix []byte) iter.Seq2[[]byte, []byte] {
	return t.within(prefix, prefix)
}

// within iterates from a key to the last one that begins with the prefix.
func (t *tx) within(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for key, value := range t.From(from) {
			if !bytes.HasPrefix(key, prefix) || !yield(key, value) {
				return
			}
		}
	}
}

// put stores an entry.
func (t *tx) put(key, value []byte) { t.failed = cmp.Or(t.failed, t.Put(key, value)) }

// delete deletes entries.
func (t *tx) delete(keys ...[]byte) {
	for _, key := range keys {
		t.failed = cmp.Or(t.failed, t.Delete(key))
	}
}

// deletePrefix deletes up to limit entries and reports whether all are gone.
func (t *tx) deletePrefix(prefix []byte, limit int) (done bool) {
	keys := make([][]byte, 0, 16)
	for key := range t.prefix(prefix) {
		if len(keys) == limit {
			t.delete(keys...)
			return false
		}
		keys = append(keys, bytes.Clone(key))
	}
	t.delete(keys...)
	return true
}

// call runs a callback and converts a panic in it to an error. The value of a
// panic may contain a secret, so that only its type is reported.
func (t *tx) call(callback func() error) error {
	var err error
	called := t.Call(func() { err = Recover("callback", callback) })
	if called != nil {
		return called
	}
	return err
}

// Recover runs a function and converts a panic to an error that names what
// panicked. Its text contains the value of a panic only if that is a runtime
// error: any other value may contain a secret.
func Recover(what string, run func() error) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case runtime.Error:
			err = unavailable(fmt.Errorf("%s panicked: %w", what, cause))
		default:
			err = unavailable(fmt.Errorf("%s panicked with a %T", what, cause))
		}
	}()
	return run()
}

func unavailable(err error) error {
	return fmt.Errorf("storage: %w: %w", authcore.ErrUnavailable, err)
}

// encode returns the stored form of a value.
func encode(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, unavailable(fmt.Errorf("a %T cannot be encoded", value))
	}
	return text, nil
}

// decode reads a stored value. It drops the decoder's error, which quotes the
// value.
func decode[T any](text []byte) (T, error) {
	var value T
	if err := json.Unmarshal(text, &value); err != nil {
		var none T
		return none, unavailable(fmt.Errorf("%T: %w", none, authcore.ErrDamaged))
	}
	return value, nil
}

// encode is the function encode. Its error ends the transaction.
func (t *tx) encode(value any) []byte {
	text, err := encode(value)
	t.failed = cmp.Or(t.failed, err)
	return text
}

// load reads a value, or returns authcore.ErrNotFound.
func load[T any](t *tx, key []byte) (T, error) {
	text := t.Get(key)
	if text == nil {
		var none T
		return none, authcore.ErrNotFound
	}
	return decode[T](text)
}
