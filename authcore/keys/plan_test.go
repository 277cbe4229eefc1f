package keys

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Tokens stay valid through rotations, on nodes that load keys at different times,
// and a key is published for a whole rotation before it signs.
func TestRotation(t *testing.T) {
	store := &keyStore{}
	a, b := newNode(store, gate.EdDSA), newNode(store, gate.EdDSA)
	a.at(t, start)
	b.at(t, start)
	if len(store.keys) != 2 {
		t.Fatalf("two nodes made %d keys, want 2", len(store.keys))
	}
	published, signed := map[string]time.Time{}, map[string]bool{}
	for now := start; now.Before(start.Add(400 * day)); now = now.Add(6 * time.Hour) {
		a.at(t, now)
		for _, key := range store.keys {
			if published[key.ID].IsZero() {
				published[key.ID] = now
			}
		}
		// b loads keys up to 6 hours later and must know the key already.
		if token := a.token(t, now); !b.accepts(token, now) {
			t.Fatalf("day %d: a token of the other node is refused", now.Sub(start)/day)
		}
		b.at(t, now)
		id := a.signs(t, now)
		if lead := now.Sub(published[id]); !signed[id] && len(signed) > 0 && lead < rotation {
			t.Errorf("day %d: a key signs %s after its publication, want %s", now.Sub(start)/day, lead, rotation)
		}
		signed[id] = true
		if len(store.keys) > 3 {
			t.Fatalf("day %d: the ring has %d keys, want 3 at most", now.Sub(start)/day, len(store.keys))
		}
	}
	if len(signed) != 5 {
		t.Errorf("%d keys signed within 400 days, want 5", len(signed))
	}
}

func TestTokensOutliveTheRotation(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA).at(t, start)
	last := start.Add(rotation - time.Second)
	token := n.at(t, last).token(t, last)
	for _, now := range []time.Time{start.Add(91 * day), last.Add(lifetime - time.Second)} {
		if !n.at(t, now).accepts(token, now) {
			t.Errorf("a token is refused %s after it was issued", now.Sub(last))
		}
	}
}

// A lifetime that grows before a rotation must not end the tokens early that the
// current key still signs.
func TestLifetimeGrowsBeforeARotation(t *testing.T) {
	store := &keyStore{}
	newNode(store, gate.EdDSA).at(t, start)
	n := newNode(store, gate.EdDSA)
	n.cfg.Lifetime = 60 * day
	last := start.Add(rotation - time.Second)
	token := n.at(t, last).tokenFor(t, last, 60*day)
	for _, now := range []time.Time{start.Add(120 * day), last.Add(60*day - time.Second)} {
		if !n.at(t, now).accepts(token, now) {
			t.Errorf("a token is refused %s after it was issued", now.Sub(last))
		}
	}
}

// A node that was down for longer than a rotation must not sign with a key that
// no other node has seen.
func TestLateRotation(t *testing.T) {
	store := &keyStore{}
	newNode(store, gate.EdDSA).at(t, start)
	now := start.Add(365 * day)
	n := newNode(store, gate.EdDSA).at(t, now)
	newest := store.keys[len(store.keys)-1]
	if newest.Signs.Sub(now) != lead(rotation) {
		t.Errorf("the new successor signs in %s, want %s", newest.Signs.Sub(now), lead(rotation))
	}
	if n.signs(t, now) != store.keys[1].ID {
		t.Error("the successor of the time before does not sign")
	}
}

// A change of the algorithm takes effect after the lead, and the successor of the
// old algorithm never signs.
func TestChangeOfAlgorithm(t *testing.T) {
	store := &keyStore{}
	old := newNode(store, gate.EdDSA).at(t, start)
	unused := store.keys[1].ID
	change := start.Add(day)
	n := newNode(store, gate.ES256).at(t, change)
	token := n.token(t, change)
	if !old.accepts(token, change) {
		t.Error("a node that does not know the new key refuses tokens: it signs too early")
	}
	if jwks, _ := n.JWKS(); strings.Count(string(jwks), `"kid"`) != 2 || strings.Contains(string(jwks), unused) {
		t.Errorf("JWKS is %s, want the current key and one of the new algorithm", jwks)
	}
	last := change.Add(lead(rotation) - time.Second)
	if id := n.at(t, last).signs(t, last); id != store.keys[0].ID {
		t.Error("the new algorithm signs before the lead has passed")
	}
	begin := change.Add(lead(rotation))
	if id := n.at(t, begin).signs(t, begin); id != store.keys[1].ID || store.keys[1].Algorithm != gate.ES256 {
		t.Error("the new algorithm does not sign after the lead")
	}
	if len(store.keys) != 3 || store.keys[2].Algorithm != gate.ES256 || store.keys[2].Signs.Sub(begin) != rotation {
		t.Errorf("keys are %s, want a successor that signs a rotation later", describe(store.keys))
	}
	if !n.accepts(token, begin) {
		t.Error("a token of the old algorithm is refused")
	}
	gone := change.Add(30 * day)
	if n.at(t, gone); store.keys[0].Algorithm != gate.ES256 {
		t.Errorf("keys are %s, want none of the old algorithm", describe(store.keys))
	}
}

// While nodes are restarted with another algorithm, one by one, they must not
// replace the keys of each other.
func TestNodesWithTwoAlgorithms(t *testing.T) {
	store := &keyStore{}
	old := newNode(store, gate.EdDSA).at(t, start)
	changed := newNode(store, gate.ES256)
	seen := map[string]bool{}
	for now := start; now.Before(start.Add(3 * day)); now = now.Add(10 * time.Minute) {
		for _, n := range []node{old, changed} {
			n.at(t, now)
			for _, key := range store.keys {
				seen[key.ID] = true
			}
			token := n.token(t, now)
			if !old.accepts(token, now) || n == changed && !changed.accepts(token, now) {
				t.Fatalf("%s: a token is refused", now.Sub(start))
			}
		}
	}
	// Both of the empty store, the first of the new algorithm, its successor.
	if len(seen) > 4 {
		t.Errorf("the nodes made %d keys in three days, want 4", len(seen))
	}
}

// A clock that jumps makes one key at most, and removes none that is needed later.
// The ring gets its time from a revocation.Horizon; here it does not, which is the
// worst case.
func TestClockThatJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"a year ahead": 365 * day, "a year back": -365 * day, "40 days ahead": 40 * day} {
		t.Run(name, func(t *testing.T) {
			store := &keyStore{}
			n := newNode(store, gate.EdDSA).at(t, start)
			token, signing := n.token(t, start), n.signs(t, start)
			for i := range 50 {
				newNode(store, gate.EdDSA).at(t, start.Add(jump+time.Duration(i)*time.Minute))
				n.at(t, start.Add(time.Duration(i)*time.Minute))
			}
			if len(store.keys) > 3 {
				t.Errorf("keys are %s, want 3 at most", describe(store.keys))
			}
			if n.signs(t, start.Add(time.Hour)) != signing || !n.accepts(token, start.Add(time.Hour)) {
				t.Errorf("keys are %s; the key that signed is gone", describe(store.keys))
			}
			// From here on rotations are as usual.
			for at := range 5 {
				now := start.Add(time.Duration(at+1) * rotation)
				n.at(t, now)
				if list := n.at(t, now).stateAt(now); list[len(list)-1] != StateSuccessor || list[len(list)-2] != StateCurrent {
					t.Errorf("rotation %d: states are %v", at+1, list)
				}
				if next := store.keys[len(store.keys)-1].Signs.Sub(now); next > rotation {
					t.Errorf("rotation %d: the next one is in %s", at+1, next)
				}
			}
		})
	}
}

// stateAt lists the states of the keys at a time.
func (n node) stateAt(now time.Time) (states []State) {
	n.cfg.Now = func() time.Time { return now }
	for _, info := range n.List() {
		states = append(states, info.State)
	}
	return states
}

// The lead covers the age of cached key sets and the interval of the maintenance,
// for every rotation that a realm accepts.
func TestLeadCoversCaches(t *testing.T) {
	for _, rotation := range []time.Duration{time.Hour, day, 90 * day, 3650 * day} {
		if lead(rotation) < maxAge(rotation)+2*time.Minute || lead(rotation) > rotation/2 {
			t.Errorf("rotation %s: lead %s, maximum age of the JWKS %s", rotation, lead(rotation), maxAge(rotation))
		}
	}
}

func describe(keys []authcore.SigningKey) string {
	var lines []string
	for _, key := range keys {
		lines = append(lines, fmt.Sprintf("%s signs on day %.1f, expires on day %.1f", key.Algorithm, key.Signs.Sub(start).Hours()/24, key.Expires.Sub(start).Hours()/24))
	}
	return strings.Join(lines, "; ")
}
