package authcore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxKeyLead is for how long a new key is published before it signs, at most.
const maxKeyLead = 24 * time.Hour

type keyRingConfig struct {
	store     Keys
	algorithm string
	// rotation is the age at which a key gets a successor.
	rotation time.Duration
	// lifetime is the longest life of a token.
	lifetime time.Duration
	random   io.Reader
	// changed is given every new key set.
	changed func(*gate.KeySet)
}

// keyRing is this node's view of the signing keys. The keys themselves are in
// the store, where all nodes share them.
type keyRing struct {
	cfg  keyRingConfig
	keys atomic.Pointer[ring]

	// asked numbers the calls of the store, and taken is the latest one whose
	// answer was taken over.
	asked atomic.Uint64
	mu    sync.Mutex // held while taking over
	taken uint64
}

// ring is one state of the keys; it never changes.
type ring struct {
	signers []signer // in the order in which they begin to sign
	ids     []string // of all keys
	jwks    []byte
}

type signer struct {
	key     gate.Key
	private any
	signs   time.Time
}

func newKeyRing(cfg keyRingConfig) *keyRing { return &keyRing{cfg: cfg} }

// lead is for how long a new key is published before it signs, so that
// whoever keeps a copy of the public keys knows it by then.
func (k *keyRing) lead() time.Duration { return min(maxKeyLead, k.cfg.rotation/10) }

// maintain brings the stored keys up to date and takes them over. Nodes may do
// so at the same time.
func (k *keyRing) maintain(ctx context.Context, now time.Time) error {
	return k.update(ctx, func(keys []SigningKey) ([]SigningKey, error) { return k.rotate(keys, now) })
}

// reload takes the stored keys over as they are.
func (k *keyRing) reload(ctx context.Context) error {
	return k.update(ctx, func(keys []SigningKey) ([]SigningKey, error) { return keys, nil })
}

// update changes the stored keys and takes them over, unless the answer to a
// later call was taken over before: of two calls at once the store may answer
// the first one last.
func (k *keyRing) update(ctx context.Context, change func([]SigningKey) ([]SigningKey, error)) error {
	number := k.asked.Add(1)
	stored, err := k.cfg.store.UpdateKeys(ctx, change)
	if err != nil {
		return err
	}
	if len(stored) == 0 { // a store that lost them is no reason to refuse everybody
		return fmt.Errorf("%w: it has no keys", ErrUnavailable)
	}
	next, set, err := k.parse(stored)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if number < k.taken {
		return nil
	}
	k.taken = number
	// In this order: whoever sees that a key is known must not find a verifier
	// that refuses its tokens.
	k.cfg.changed(set)
	k.keys.Store(next)
	return nil
}

func (k *keyRing) parse(stored []SigningKey) (*ring, *gate.KeySet, error) {
	next := &ring{}
	public := make([]gate.Key, 0, len(stored))
	for _, key := range stored {
		signer, err := parseSigner(key)
		if err != nil {
			return nil, nil, fmt.Errorf("key %s: %w", key.ID, err)
		}
		public, next.ids = append(public, signer.key), append(next.ids, key.ID)
		if key.Expires.IsZero() || key.Algorithm == k.cfg.algorithm {
			next.signers = append(next.signers, signer)
		}
	}
	set, err := gate.NewKeySet(public...)
	if err != nil {
		return nil, nil, err
	}
	next.jwks = set.JWKS()
	return next, set, nil
}

// knows reports whether there is a key of this id.
func (k *keyRing) knows(id string) bool { return slices.Contains(k.keys.Load().ids, id) }

// rotate decides which keys there are to be. Keys are in order of their
// beginning to sign. Every key but the last has a successor and is kept until
// the last token that it signed has expired.
//
// A newest key of another algorithm gets a successor when the node starts, and
// later only when it is old enough: a node that was configured otherwise has made
// it meanwhile, and the two would replace each other's keys for ever.
func (k *keyRing) rotate(keys []SigningKey, now time.Time) ([]SigningKey, error) {
	next := make([]SigningKey, 0, len(keys)+1)
	for _, key := range keys {
		if key.Expires.IsZero() || now.Before(key.Expires) {
			next = append(next, key)
		}
	}
	begins, due, starting := now, true, k.keys.Load() == nil
	if last := len(next) - 1; last >= 0 && (next[last].Algorithm == k.cfg.algorithm || !starting) {
		succession := next[last].Signs.Add(k.cfg.rotation)
		due = !now.Before(succession.Add(-k.lead()))
		begins = succession
		if earliest := now.Add(k.lead()); begins.Before(earliest) {
			begins = earliest
		}
	}
	if !due {
		k.expire(next)
		return next, nil
	}
	key, err := generateKey(k.cfg.algorithm, k.cfg.random)
	if err != nil {
		return nil, err
	}
	key.Created, key.Signs = now, begins
	next = append(next, key)
	k.expire(next)
	return next, nil
}

// expire sets until when keys with a successor are needed: a lifetime after it
// began to sign, and one lead more for nodes that learn of it late. A lifetime
// that has grown since moves the time on.
func (k *keyRing) expire(keys []SigningKey) {
	for i := range len(keys) - 1 {
		needed := keys[i+1].Signs.Add(k.cfg.lifetime + k.lead())
		if keys[i].Expires.Before(needed) {
			keys[i].Expires = needed
		}
	}
}

// jwks returns the public keys.
func (k *keyRing) jwks() []byte { return k.keys.Load().jwks }

// sign signs a statement.
func (k *keyRing) sign(purpose gate.Purpose, statement gate.Statement, now time.Time) (string, error) {
	payload, err := json.Marshal(statement)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	signer, err := k.signer(now)
	if err != nil {
		return "", err
	}
	return signer.sign(purpose, payload)
}

// signPublic signs what others are to check, which they cannot when the key is
// a secret.
func (k *keyRing) signPublic(purpose gate.Purpose, payload []byte, now time.Time) (string, error) {
	signer, err := k.signer(now)
	if err != nil {
		return "", err
	}
	if signer.key.Algorithm == gate.HS256 {
		return "", noPublicKey()
	}
	return signer.sign(purpose, payload)
}

// signer returns the newest key that signs at this time.
func (k *keyRing) signer(now time.Time) (signer, error) {
	signers := k.keys.Load().signers
	for i := len(signers) - 1; i >= 0; i-- {
		if !now.Before(signers[i].signs) {
			return signers[i], nil
		}
	}
	if len(signers) > 0 { // the clock went back
		return signers[0], nil
	}
	return signer{}, errors.New("no signing key")
}
