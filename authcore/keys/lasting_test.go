package keys

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// lastingKey signs an API key that expires after life.
func (n node) lastingKey(t *testing.T, now time.Time, life time.Duration) string {
	t.Helper()
	key, err := n.SignLasting(t.Context(), gate.PurposeKey, gate.Statement{Issuer: "i", Audience: "i", Claims: gate.Claims{
		Subject: "s", ID: "t", Session: "u", Method: gate.MethodKey, IssuedAt: now.Unix(), ExpiresAt: now.Add(life).Unix(),
	}}, now)
	if err != nil {
		t.Fatalf("SignLasting: %v", err)
	}
	return gate.KeyPrefix + key
}

func (n node) acceptsKey(key string, now time.Time) bool {
	_, err := n.verifier.VerifyKey(key, now)
	return err == nil
}

// A signing key stays until the last API key that it signed has expired, whatever
// happens to the other keys.
func TestSignLasting(t *testing.T) {
	store := &keyStore{conflicts: 1}
	n := newNode(store, gate.EdDSA).at(t, start)
	n.at(t, start)
	key := n.lastingKey(t, start, 365*day)
	n.lastingKey(t, start, day) // does not shorten it
	for now := start; now.Before(start.Add(365 * day)); now = now.Add(10 * day) {
		n.at(t, now)
		if !n.acceptsKey(key, now) {
			t.Fatalf("the key is refused after %s; keys are %s", now.Sub(start), describe(store.keys))
		}
	}
	if err := n.Rotate(t.Context(), start.Add(364*day)); err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	if !n.acceptsKey(key, start.Add(365*day-time.Second)) {
		t.Errorf("the key is refused after a rotation; keys are %s", describe(store.keys))
	}
	first := store.keys[0].ID
	n.at(t, start.Add(367*day))
	if store.keys[0].ID == first {
		t.Errorf("the signing key stays after its last API key; keys are %s", describe(store.keys))
	}
}

// A realm that rotates every day and makes an API key with each signing key would
// otherwise publish thousands of keys (CWE-770).
func TestHardeningLastingKeysAreFew(t *testing.T) {
	store := &keyStore{}
	n := newNode(store, gate.EdDSA)
	n.cfg.Rotation, n.cfg.Lifetime = day, time.Hour
	var keys []string
	end := start.Add(370 * day)
	for now := start; now.Before(end); now = now.Add(day) {
		n.at(t, now)
		keys = append(keys, n.lastingKey(t, now, 365*day))
	}
	if len(store.keys) > 10 {
		t.Errorf("there are %d keys, want 10 at most", len(store.keys))
	}
	for i, key := range keys {
		if now := end.Add(-day); n.acceptsKey(key, now) != (i > 4) {
			t.Errorf("the key of day %d is accepted: %t", i, n.acceptsKey(key, now))
		}
	}
}

// Without keys nothing is signed.
func TestSignLastingWithoutKeys(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA)
	if _, err := n.SignLasting(t.Context(), gate.PurposeKey, gate.Statement{}, start); err == nil {
		t.Error("SignLasting() without keys = nil, want an error")
	}
}
