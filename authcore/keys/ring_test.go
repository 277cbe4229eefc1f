package keys

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

const day = 24 * time.Hour

const (
	rotation = 90 * day
	lifetime = 14 * day
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// keyStore is an authcore.Keys in memory. It calls change again for each
// of the conflicts.
type keyStore struct {
	mu        sync.Mutex
	keys      []authcore.SigningKey
	conflicts int
}

func (k *keyStore) UpdateKeys(_ context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) ([]authcore.SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range k.conflicts {
		if _, err := change(slices.Clone(k.keys)); err != nil {
			return nil, err
		}
	}
	next, err := change(slices.Clone(k.keys))
	if err != nil {
		return nil, err
	}
	k.keys = slices.Clone(next)
	return slices.Clone(next), nil
}

// node is a ring with the verifier of its node.
type node struct {
	*Ring
	verifier *gate.Verifier
}

func newNode(store authcore.Keys, algorithm string) node {
	verifier := gate.NewVerifier(gate.VerifierConfig{Issuer: "i", Audience: "i", Purpose: gate.PurposeLogin, Revocations: gate.NewRevocations()})
	return node{verifier: verifier, Ring: New(Config{
		Store: store, Algorithm: algorithm, Rotation: rotation, Lifetime: lifetime,
		Changed: verifier.SetKeys, Now: func() time.Time { return start },
	})}
}

// at maintains the keys at a time.
func (n node) at(t *testing.T, now time.Time) node {
	t.Helper()
	if err := n.Maintain(t.Context(), now); err != nil {
		t.Fatalf("Maintain: %v", err)
	}
	return n
}

func (n node) token(t *testing.T, now time.Time) string {
	t.Helper()
	return n.tokenFor(t, now, lifetime)
}

func (n node) tokenFor(t *testing.T, now time.Time, life time.Duration) string {
	t.Helper()
	token, err := n.Sign(gate.PurposeLogin, gate.Statement{Issuer: "i", Audience: "i", Claims: gate.Claims{
		Subject: "s", ID: "t", Session: "u", Client: "c", Method: "m",
		IssuedAt: now.Unix(), AuthTime: now.Unix(), ExpiresAt: now.Add(life).Unix(),
	}}, now)
	if err != nil {
		t.Fatalf("Sign: %v", err)
	}
	return token
}

func (n node) accepts(token string, now time.Time) bool {
	_, err := n.verifier.Verify(token, now)
	return err == nil
}

// signs returns the ID of the key that signs at a time.
func (n node) signs(t *testing.T, now time.Time) string {
	t.Helper()
	s, err := n.signer(now)
	if err != nil {
		t.Fatalf("signer: %v", err)
	}
	return s.key.ID
}

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			n := newNode(&keyStore{}, algorithm).at(t, start)
			if !n.accepts(n.token(t, start), start) {
				t.Error("Verify refuses a fresh token")
			}
			jwks, _ := n.JWKS()
			want := 2
			if algorithm == gate.HS256 {
				want = 0
			}
			if got := strings.Count(string(jwks), `"kid"`); got != want {
				t.Errorf("JWKS has %d keys, want %d: %s", got, want, jwks)
			}
			_, err := n.SignPublic(gate.PurposeRevocations, []byte("{}"), start)
			var public *authcore.Error
			if isSecret := errors.As(err, &public) && public.Code == authcore.CodeNoPublicKey; isSecret != (algorithm == gate.HS256) {
				t.Errorf("SignPublic: error is %v", err)
			}
		})
	}
}

func TestEmptyRing(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA)
	if _, err := n.Sign(gate.PurposeLogin, gate.Statement{}, start); err == nil {
		t.Error("Sign of an empty ring succeeded")
	}
	if _, err := n.Seal("p", nil); err == nil {
		t.Error("Seal of an empty ring succeeded")
	}
	if jwks, _ := n.JWKS(); len(jwks) > 0 || len(n.List()) > 0 {
		t.Error("an empty ring has keys")
	}
}

// A key that a store generates for a conflicting update is used, not generated
// again: RSA keys are expensive.
func TestConflictsGenerateNoKeys(t *testing.T) {
	random := &countingReader{}
	store := &keyStore{conflicts: 5}
	ring := New(Config{Store: store, Algorithm: gate.HS256, Rotation: rotation, Lifetime: lifetime, Random: random})
	if err := ring.Maintain(t.Context(), start); err != nil {
		t.Fatalf("Maintain: %v", err)
	}
	if random.n != 2*secretBytes {
		t.Errorf("Maintain read %d random bytes, want %d for two keys", random.n, 2*secretBytes)
	}
	if len(store.keys) != 2 || store.keys[0].ID == store.keys[1].ID {
		t.Errorf("store has keys %+v, want two different ones", store.keys)
	}
}

type countingReader struct{ n int }

func (r *countingReader) Read(b []byte) (int, error) {
	r.n += len(b)
	return rand.Read(b)
}

// lateKeys delays the result of one call.
type lateKeys struct {
	*keyStore
	late          atomic.Bool // The next call is delayed.
	read, release chan struct{}
}

func (l *lateKeys) UpdateKeys(ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) ([]authcore.SigningKey, error) {
	keys, err := l.keyStore.UpdateKeys(ctx, change)
	if l.late.Swap(false) {
		close(l.read)
		<-l.release
	}
	return keys, err
}

// Of two concurrent calls the store may answer the first last. Its result is older
// and must not remove a key that is in use, nor bring back a revoked one.
func TestOlderKeysDoNotReplaceNewerOnes(t *testing.T) {
	store := &keyStore{}
	late := &lateKeys{keyStore: store, read: make(chan struct{}), release: make(chan struct{})}
	n := newNode(late, gate.EdDSA).at(t, start)
	revoked := n.token(t, start)
	late.late.Store(true)
	done := make(chan error)
	go func() { done <- n.Reload(t.Context()) }()
	<-late.read
	other := newNode(store, gate.EdDSA).at(t, start)
	if err := other.Revoke(t.Context(), other.signs(t, start), start); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	if err := n.Reload(t.Context()); err != nil {
		t.Fatalf("Reload: %v", err)
	}
	close(late.release)
	if err := <-done; err != nil {
		t.Fatalf("delayed Reload: %v", err)
	}
	if !n.accepts(other.token(t, start), start) {
		t.Error("the delayed result removed a key in use")
	}
	if n.accepts(revoked, start) {
		t.Error("the delayed result brought back a revoked key")
	}
}

// A store that has lost its keys is faulty. That is not a reason to refuse all
// tokens.
func TestLostKeysAreAFault(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, gate.EdDSA).at(t, start)
	token := n.token(t, start)
	store.keys = nil
	if err := n.Reload(t.Context()); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Reload: error is %v, want ErrUnavailable", err)
	}
	if !n.accepts(token, start) {
		t.Error("a token is refused because the store has no keys")
	}
}

// A verifier must know a key before the ring signs with it.
func TestVerifierKnowsKeysFirst(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, gate.EdDSA).at(t, start)
	if err := newNode(store, gate.EdDSA).at(t, start).Revoke(t.Context(), n.signs(t, start), start); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	before, changes := n.signs(t, start), 0
	n.cfg.Changed = func(set *gate.KeySet) {
		changes++
		if n.signs(t, start) != before {
			t.Error("the ring signs with a key before the verifier has it")
		}
	}
	for range 3 {
		if err := n.Reload(t.Context()); err != nil {
			t.Fatalf("Reload: %v", err)
		}
	}
	if n.signs(t, start) == before || changes != 1 {
		t.Errorf("after 3 reloads of one change: %d changes, want 1, and another current key", changes)
	}
}

func TestBadKeys(t *testing.T) {
	for name, key := range map[string]authcore.SigningKey{
		"not PKCS #8": {ID: "x", Algorithm: gate.EdDSA, Private: []byte("secret")},
		"algorithm":   {ID: "x", Algorithm: "none"},
	} {
		n := newNode(&keyStore{keys: []authcore.SigningKey{key}}, gate.EdDSA)
		if err := n.Maintain(t.Context(), start); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: Maintain: error is %v", name, err)
		}
	}
	if _, err := generate("none", rand.Reader); err == nil {
		t.Error("generate made a key for alg none")
	}
	broken := errors.New("no randomness")
	if _, err := generate(gate.HS256, failingReader{broken}); !errors.Is(err, broken) {
		t.Errorf("generate: error is %v, want %v", err, broken)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
