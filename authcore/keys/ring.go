package keys

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Config configures a Ring.
type Config struct {
	Store authcore.Keys
	// Algorithm of new keys; see [Algorithms].
	Algorithm string
	// Rotation is the time for which a key signs.
	Rotation time.Duration
	// Lifetime is the longest lifetime of a token.
	Lifetime time.Duration
	// Random is the source of keys; nil means crypto/rand.
	Random io.Reader
	// Now is the clock of Seal and List; nil means time.Now.
	Now func() time.Time
	// Changed receives every new key set, before the ring signs with it; nil for
	// none. It must not block.
	Changed func(*gate.KeySet)
	// Observe receives the events of operators' changes; nil for none.
	Observe func(context.Context, authcore.Event)
}

// Ring is a node's copy of the realm's keys. Before the first Maintain it is empty:
// it signs and opens nothing. All methods are safe for concurrent use.
type Ring struct {
	cfg   Config
	state atomic.Pointer[state]

	// asked numbers the calls of the store. taken, which mu guards, is the number
	// of the call whose result is in state.
	asked atomic.Uint64
	mu    sync.Mutex
	taken uint64
	// settled is set after the newest key had the configured algorithm.
	settled atomic.Bool
}

// state is one version of the keys. It does not change.
type state struct {
	stored []authcore.SigningKey
	keys   []signer // in the order of stored
	jwks   []byte
}

// New returns an empty Ring.
func New(cfg Config) *Ring {
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Changed == nil {
		cfg.Changed = func(*gate.KeySet) {}
	}
	cfg.Observe = authcore.Observer(cfg.Observe)
	r := &Ring{cfg: cfg}
	r.state.Store(&state{})
	return r
}

// Maintain generates, schedules and removes keys as needed, and loads them. Nodes
// may do so at the same time. The time should not jump: see
// revocation.Horizon. The first call removes nothing, because the clock of a
// machine that has just started may be wrong.
func (r *Ring) Maintain(ctx context.Context, now time.Time) error {
	plan := r.planner(now)
	return r.update(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		return plan.maintain(keys)
	})
}

// Reload loads the keys. A node reloads them every 5 seconds and gives up a read
// after 2 seconds. So a revoked key is removed within 7 seconds from all nodes that
// reach the store. Verifiers elsewhere follow when they fetch the JWKS again.
func (r *Ring) Reload(ctx context.Context) error {
	return r.update(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil })
}

// update changes the stored keys and loads them, unless the result of a later call
// was loaded before: of two concurrent calls the store may answer the first last.
func (r *Ring) update(ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) error {
	number := r.asked.Add(1)
	stored, err := r.cfg.Store.UpdateKeys(ctx, change)
	if err != nil {
		return err
	}
	if len(stored) == 0 { // Lost keys are a fault of the store, not a reason to refuse all tokens.
		return fmt.Errorf("%w: it has no keys", authcore.ErrUnavailable)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if number < r.taken {
		return nil
	}
	r.taken = number
	if slices.EqualFunc(stored, r.state.Load().stored, equal) {
		return nil
	}
	next, set, err := parse(stored)
	if err != nil {
		return err
	}
	// In this order: a verifier must know a key before the ring signs with it.
	r.cfg.Changed(set)
	r.state.Store(next)
	if stored[len(stored)-1].Algorithm == r.cfg.Algorithm {
		r.settled.Store(true)
	}
	return nil
}

// equal compares keys. An id is derived from its key.
func equal(a, b authcore.SigningKey) bool {
	return a.ID == b.ID && a.Algorithm == b.Algorithm &&
		a.Created.Equal(b.Created) && a.Signs.Equal(b.Signs) && a.Expires.Equal(b.Expires) && a.Needed.Equal(b.Needed)
}

func parse(stored []authcore.SigningKey) (*state, *gate.KeySet, error) {
	next := &state{stored: stored, keys: make([]signer, 0, len(stored))}
	public := make([]gate.Key, 0, len(stored))
	for _, key := range stored {
		signer, err := parseSigner(key)
		if err != nil {
			return nil, nil, fmt.Errorf("key %s: %w", key.ID, err)
		}
		next.keys = append(next.keys, signer)
		public = append(public, signer.key)
	}
	set, err := gate.NewKeySet(public...)
	if err != nil {
		return nil, nil, err
	}
	next.jwks = set.JWKS()
	return next, set, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517, section 5), and
// for how long a cache may keep it.
func (r *Ring) JWKS() ([]byte, time.Duration) {
	return r.state.Load().jwks, maxAge(r.cfg.Rotation)
}

// Sign signs a statement with the current key.
func (r *Ring) Sign(purpose gate.Purpose, statement gate.Statement, now time.Time) (string, error) {
	payload, err := json.Marshal(statement)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	signer, err := r.signer(now)
	if err != nil {
		return "", err
	}
	return signer.sign(purpose, payload)
}

// SignPublic signs a document that others verify. With HS256 they cannot, so that
// the error is a 404.
func (r *Ring) SignPublic(purpose gate.Purpose, payload []byte, now time.Time) (string, error) {
	signer, err := r.signer(now)
	if err != nil {
		return "", err
	}
	if signer.key.Algorithm == gate.HS256 {
		return "", authcore.NewError(http.StatusNotFound, authcore.CodeNoPublicKey,
			"Tokens are signed with a shared secret (HS256); there is no public key.")
	}
	return signer.sign(purpose, payload)
}

func (r *Ring) signer(now time.Time) (signer, error) {
	state := r.state.Load()
	if len(state.keys) == 0 {
		return signer{}, errors.New("keys: no signing key")
	}
	return state.keys[current(state.stored, now)], nil
}

// current returns the index of the newest key whose time to sign has come, or of
// the first one if the clock went back.
func current(keys []authcore.SigningKey, now time.Time) int {
	for i := len(keys) - 1; i > 0; i-- {
		if !now.Before(keys[i].Signs) {
			return i
		}
	}
	return 0
}
