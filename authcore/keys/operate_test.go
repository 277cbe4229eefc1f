package keys

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestList(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, gate.EdDSA).at(t, start)
	n.at(t, start.Add(rotation))
	if states := n.stateAt(start.Add(rotation)); !slices.Equal(states, []State{StateFormer, StateCurrent, StateSuccessor}) {
		t.Errorf("List: states are %v", states)
	}
	for i, info := range n.List() {
		if key := store.keys[i]; info.ID != key.ID || info.Algorithm != key.Algorithm || !info.Signs.Equal(key.Signs) || !info.Expires.Equal(key.Expires) {
			t.Errorf("List: key %d is %+v, want %+v", i, info, key)
		}
	}
}

func TestRotate(t *testing.T) {
	store := &keyStore{}
	n, other := newNode(store, gate.EdDSA).at(t, start), newNode(store, gate.EdDSA).at(t, start)
	now := start.Add(10 * day)
	first, second := store.keys[0].ID, store.keys[1].ID
	before := n.token(t, now)
	if err := n.Rotate(t.Context(), now); err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	if n.signs(t, now) != second || len(store.keys) != 3 {
		t.Errorf("keys are %s; want the successor to sign and a new one", describe(store.keys))
	}
	if !other.accepts(n.token(t, now), now) {
		t.Error("a node that has not reloaded refuses the successor's tokens")
	}
	end := now.Add(lifetime - time.Second)
	if !n.at(t, end).accepts(before, end) {
		t.Error("a token of the former key ended early")
	}
	if n.at(t, end.Add(2*day)); store.keys[0].ID == first {
		t.Error("the former key is present after its last token expired")
	}
}

// A second rotation in a row waits until its key is known everywhere.
func TestRotateTwice(t *testing.T) {
	store := &keyStore{}
	n, other := newNode(store, gate.EdDSA).at(t, start), newNode(store, gate.EdDSA).at(t, start)
	now := start.Add(10 * day)
	for range 3 {
		if err := n.Rotate(t.Context(), now); err != nil {
			t.Fatalf("Rotate: %v", err)
		}
	}
	if !other.accepts(n.token(t, now), now) || len(store.keys) != 3 {
		t.Errorf("keys are %s; a key signs that others do not know", describe(store.keys))
	}
	if third := store.keys[2]; third.Signs.Sub(now) != lead(rotation) {
		t.Errorf("the new key signs in %s, want %s", third.Signs.Sub(now), lead(rotation))
	}
}

func TestRevoke(t *testing.T) {
	now := start.Add(rotation + day) // There is a key in each state.
	for name, test := range map[string]struct {
		index int
		// signs is the index of the key that signs afterwards.
		signs int
	}{
		"former":    {index: 0, signs: 1},
		"current":   {index: 1, signs: 2},
		"successor": {index: 2, signs: 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &keyStore{}
			n := newNode(store, gate.EdDSA).at(t, start).at(t, now)
			other := newNode(store, gate.EdDSA).at(t, start).at(t, now)
			keys, tokens := slices.Clone(store.keys), make([]string, 3)
			for i := range keys {
				signed, err := n.state.Load().keys[i].sign(gate.PurposeLogin, statementAt(now))
				if err != nil {
					t.Fatalf("sign: %v", err)
				}
				if tokens[i] = signed; !other.accepts(signed, now) {
					t.Fatalf("a token of key %d is refused before the revocation", i)
				}
			}
			if err := n.Revoke(t.Context(), keys[test.index].ID, now); err != nil {
				t.Fatalf("Revoke: %v", err)
			}
			if err := other.Reload(t.Context()); err != nil {
				t.Fatalf("Reload: %v", err)
			}
			for i, token := range tokens {
				if n.accepts(token, now) != (i != test.index) || other.accepts(token, now) != (i != test.index) {
					t.Errorf("key %d: accepted by this node %t, by the other one %t", i, n.accepts(token, now), other.accepts(token, now))
				}
			}
			if got := n.signs(t, now); got != keys[test.signs].ID {
				t.Errorf("another key signs than key %d; keys are %s", test.signs, describe(store.keys))
			}
			if states := n.stateAt(now); states[len(states)-1] != StateSuccessor || states[len(states)-2] != StateCurrent {
				t.Errorf("states are %v, want a current key and a successor", states)
			}
			if !other.accepts(n.token(t, now), now) {
				t.Error("a fresh token is refused by the other node")
			}
		})
	}
}

func statementAt(now time.Time) []byte {
	return fmt.Appendf(nil, `{"iss":"i","aud":"i","sub":"s","jti":"t","sid":"u","client_id":"c","method":"m","iat":%d,"auth_time":%d,"exp":%d}`,
		now.Unix(), now.Unix(), now.Add(lifetime).Unix())
}

func TestRevokeUnknownKey(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA).at(t, start)
	err := n.Revoke(t.Context(), "unknown", start)
	if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Status != http.StatusNotFound {
		t.Errorf("Revoke(unknown): error is %v, want a 404", err)
	}
}

// All keys can be revoked one after the other: there is always one that signs.
func TestRevokeAllKeys(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, gate.EdDSA).at(t, start)
	tokens := []string{n.token(t, start)}
	for _, key := range slices.Clone(store.keys) {
		if err := n.Revoke(t.Context(), key.ID, start); err != nil {
			t.Fatalf("Revoke: %v", err)
		}
		tokens = append(tokens, n.token(t, start))
	}
	for i, token := range tokens {
		if want := i == 2; n.accepts(token, start) != want {
			t.Errorf("token %d is accepted: %t, want %t", i, !want, want)
		}
	}
}
