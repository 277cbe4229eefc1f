package gate

import (
	"bytes"
	"errors"
	"fmt"
)

// KeySet is an immutable set of keys.
type KeySet struct {
	keys []*verifyKey
	jwks []byte
}

// NewKeySet checks keys and returns a set of them in that order. It refuses two keys
// with one ID, a key that does not fit its algorithm, and weak keys: RSA below 2048
// bits, a secret below 32 bytes, a curve other than P-256, Ed25519 points of low
// order. Its errors contain the position of a key and no part of it.
func NewKeySet(keys ...Key) (*KeySet, error) {
	set := &KeySet{keys: make([]*verifyKey, 0, len(keys))}
	ids := make(map[string]bool, len(keys))
	for i, key := range keys {
		k, err := newVerifyKey(key)
		if err == nil && ids[k.ID] {
			err = errors.New("its ID is that of an earlier key")
		}
		if err != nil {
			return nil, fmt.Errorf("gate: key %d: %w", i+1, err)
		}
		ids[k.ID] = true
		set.keys = append(set.keys, k)
	}
	set.jwks = marshalJWKS(set.keys)
	return set, nil
}

// Keys returns the keys. Their Public fields refer to values of the set, which must
// not be changed.
func (s *KeySet) Keys() []Key {
	keys := make([]Key, len(s.keys))
	for i, k := range s.keys {
		keys[i] = k.Key
	}
	return keys
}

// JWKS returns the set as a JSON Web Key Set (RFC 7517, section 5). HS256
// secrets are left out. Equal sets have equal bytes.
func (s *KeySet) JWKS() []byte { return bytes.Clone(s.jwks) }
