package authcore

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// lateKeys hands out what a late call has read only when release is closed.
type lateKeys struct {
	*keyStore
	late          atomic.Bool // the next call is
	read, release chan struct{}
}

func (l *lateKeys) UpdateKeys(ctx context.Context, change func([]SigningKey) ([]SigningKey, error)) ([]SigningKey, error) {
	keys, err := l.keyStore.UpdateKeys(ctx, change)
	if l.late.Swap(false) {
		close(l.read)
		<-l.release
	}
	return keys, err
}

// Of two calls at once the store may answer the first one last. What it read then
// is older and must not take away a key that is in use.
func TestOlderKeysDoNotReplaceNewerOnes(t *testing.T) {
	store := &keyStore{}
	late := &lateKeys{keyStore: store, read: make(chan struct{}), release: make(chan struct{})}
	n := newNode(late, "EdDSA").at(t, start)
	late.late.Store(true)
	done := make(chan error)
	go func() { done <- n.reload(t.Context()) }()
	<-late.read
	other := newNode(store, "ES256").at(t, start)
	if err := n.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(late.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := n.verifier.Verify(other.token(t, start), start); err != nil {
		t.Errorf("a key is gone: %v", err)
	}
}

// A store that has lost its keys is a fault, and no reason to refuse everybody.
func TestNoKeysAreAFault(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, "EdDSA").at(t, start)
	token := n.token(t, start)
	store.keys = nil
	if err := n.reload(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if _, err := n.verifier.Verify(token, start); err != nil {
		t.Error(err)
	}
}

// A key is not known before the verifier takes its tokens: who asks for it in
// between would be told to check again, and refused.
func TestKeysAreKnownWhenTheirTokensAreGood(t *testing.T) {
	store := &keyStore{}
	b := newNode(store, "ES256").at(t, start)
	token := newNode(store, "EdDSA").at(t, start).token(t, start)
	take := b.cfg.changed
	b.cfg.changed = func(set *gate.KeySet) {
		if id, unknown := b.verifier.UnknownKey(token, start); !unknown || b.knows(id) {
			t.Errorf("key %q counts as known before the verifier has it", id)
		}
		take(set)
	}
	if err := b.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.verifier.Verify(token, start); err != nil {
		t.Error(err)
	}
}
