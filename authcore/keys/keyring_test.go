package authcore

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// keyStore is Keys in memory.
type keyStore struct {
	mu   sync.Mutex
	keys []SigningKey
}

func (k *keyStore) UpdateKeys(_ context.Context, change func([]SigningKey) ([]SigningKey, error)) ([]SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := change(slices.Clone(k.keys))
	if err != nil {
		return nil, err
	}
	k.keys = next
	return slices.Clone(next), nil
}

type node struct {
	*keyRing
	verifier *gate.Verifier
}

func newNode(store Keys, algorithm string) node {
	verifier := gate.NewVerifier(gate.VerifierConfig{Issuer: "i", Audience: "i", Purpose: gate.PurposeLogin, Revocations: gate.NewRevocations()})
	return node{verifier: verifier, keyRing: newKeyRing(keyRingConfig{
		store: store, algorithm: algorithm, rotation: 90 * day, lifetime: 14 * day,
		random: rand.Reader, changed: verifier.SetKeys,
	})}
}

const day = 24 * time.Hour

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func (n node) token(t *testing.T, now time.Time) string {
	t.Helper()
	token, err := n.sign(gate.PurposeLogin, gate.Statement{Issuer: "i", Audience: "i", Claims: gate.Claims{
		Subject: "s", ID: "t", Session: "u", Client: "c", Method: "m",
		IssuedAt: now.Unix(), AuthTime: now.Unix(), ExpiresAt: now.Add(14 * day).Unix(),
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (n node) at(t *testing.T, now time.Time) node {
	t.Helper()
	if err := n.maintain(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			n := newNode(&keyStore{}, algorithm).at(t, start)
			if _, err := n.verifier.Verify(n.token(t, start), start); err != nil {
				t.Error(err)
			}
			if published := strings.Contains(string(n.jwks()), `"kid"`); published != (algorithm != "HS256") {
				t.Errorf("key set is %s", n.jwks())
			}
		})
	}
}

// Tokens stay valid through a rotation, on nodes that learn of it at different
// times, and a new key is published before it signs.
func TestRotation(t *testing.T) {
	store := &keyStore{}
	a, b := newNode(store, "EdDSA"), newNode(store, "EdDSA")
	a.at(t, start)
	b.at(t, start)
	if len(store.keys) != 1 {
		t.Fatalf("two nodes made %d keys", len(store.keys))
	}
	for now := start; now.Before(start.Add(400 * day)); now = now.Add(6 * time.Hour) {
		a.at(t, now)
		token := a.token(t, now)
		// b comes round up to 6 hours later and must know the key already.
		if _, err := b.verifier.Verify(token, now); err != nil {
			t.Fatalf("day %v: a token of the other node: %v", now.Sub(start)/day, err)
		}
		b.at(t, now)
		for _, key := range store.keys {
			if key.Signs.Equal(now) && key.Created.Equal(now) && !now.Equal(start) {
				t.Fatalf("day %v: a key signs that nobody knew", now.Sub(start)/day)
			}
		}
		if len(store.keys) > 2 {
			t.Fatalf("day %v: %d keys", now.Sub(start)/day, len(store.keys))
		}
	}
	if first := store.keys[0].Created; first.Equal(start) {
		t.Error("the first key is still there after 400 days")
	}
}

func TestTokensOutliveTheirKeysSuccession(t *testing.T) {
	n := newNode(&keyStore{}, "EdDSA").at(t, start)
	last := start.Add(90*day - time.Second)
	n.at(t, start.Add(89*day))
	n.at(t, last)
	token := n.token(t, last)
	for _, now := range []time.Time{start.Add(91 * day), last.Add(14*day - time.Second)} {
		n.at(t, now)
		if _, err := n.verifier.Verify(token, now); err != nil {
			t.Errorf("%s after it was issued: %v", now.Sub(last), err)
		}
	}
}

// A lifetime that is raised while a successor waits for its turn must not cut
// the tokens short that the old key goes on to sign.
func TestLifetimeGrowsBeforeASuccession(t *testing.T) {
	store := &keyStore{}
	newNode(store, "EdDSA").at(t, start).at(t, start.Add(89*day))
	n := newNode(store, "EdDSA")
	n.cfg.lifetime = 60 * day
	last := start.Add(90*day - time.Second)
	n.at(t, last)
	token, err := n.sign(gate.PurposeLogin, gate.Statement{Issuer: "i", Audience: "i", Claims: gate.Claims{
		Subject: "s", ID: "t", Session: "u", Client: "c", Method: "m",
		IssuedAt: last.Unix(), AuthTime: last.Unix(), ExpiresAt: last.Add(60 * day).Unix(),
	}}, last)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{start.Add(120 * day), last.Add(60*day - time.Second)} {
		if _, err := n.at(t, now).verifier.Verify(token, now); err != nil {
			t.Errorf("%s after it was issued: %v", now.Sub(last), err)
		}
	}
}

func TestChangeOfAlgorithm(t *testing.T) {
	store := &keyStore{}
	old := newNode(store, "EdDSA").at(t, start)
	token := old.token(t, start)
	n := newNode(store, "ES256").at(t, start.Add(day))
	if _, err := n.verifier.Verify(token, start.Add(day)); err != nil {
		t.Errorf("a token of the former algorithm: %v", err)
	}
	if _, err := n.verifier.Verify(n.token(t, start.Add(day)), start.Add(day)); err != nil {
		t.Error(err)
	}
	if strings.Count(string(n.jwks()), `"kid"`) != 2 {
		t.Errorf("key set is %s", n.jwks())
	}
	n.at(t, start.Add(30*day))
	if len(store.keys) != 1 || store.keys[0].Algorithm != "ES256" {
		t.Errorf("keys are left of the former algorithm: %d", len(store.keys))
	}
}

func TestClockThatGoesBack(t *testing.T) {
	n := newNode(&keyStore{}, "EdDSA").at(t, start)
	n.token(t, start.Add(-time.Hour))
}

func TestBadKeys(t *testing.T) {
	for name, key := range map[string]SigningKey{
		"not PKCS #8": {ID: "x", Algorithm: "EdDSA", Private: []byte("secret")},
		"algorithm":   {ID: "x", Algorithm: "none"},
	} {
		n := newNode(&keyStore{keys: []SigningKey{key}}, "EdDSA")
		if err := n.maintain(t.Context(), start); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := generateKey("none", rand.Reader); err == nil {
		t.Error("made a key for alg none")
	}
	broken := errors.New("no randomness")
	for _, algorithm := range []string{"HS256"} {
		if _, err := generateKey(algorithm, failingReader{broken}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
