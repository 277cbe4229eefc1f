package keys

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// lastingRotation is the time for which one key signs lasting statements. Each such
// key stays in the JWKS until the last of them has expired, so that a short rotation
// would collect many.
const lastingRotation = 90 * 24 * time.Hour

// SignLasting signs a statement that may outlive the lifetime of tokens, and keeps its
// key until the statement expires. The key is marked in the store before it signs.
func (r *Ring) SignLasting(ctx context.Context, purpose gate.Purpose, statement gate.Statement, now time.Time) (string, error) {
	payload, err := json.Marshal(statement)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	until := time.Unix(statement.ExpiresAt, 0).UTC().Add(lead(r.cfg.Rotation))
	plan := r.planner(now)
	var id string
	err = r.update(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		if len(keys) == 0 {
			return keys, nil // update returns the error
		}
		at := lasting(keys, now)
		id = keys[at].ID
		if !keys[at].Needed.Before(until) {
			return keys, nil
		}
		keys = slices.Clone(keys)
		keys[at].Needed = until
		plan.expire(keys)
		return keys, nil
	})
	if err != nil {
		return "", err
	}
	state := r.state.Load()
	at := slices.IndexFunc(state.stored, func(key authcore.SigningKey) bool { return key.ID == id })
	if at < 0 {
		return "", fmt.Errorf("%w: the signing key was revoked meanwhile", authcore.ErrUnavailable)
	}
	return state.keys[at].sign(purpose, payload)
}

// lasting returns the index of the key that signs lasting statements: one that does
// already, or the current one.
func lasting(keys []authcore.SigningKey, now time.Time) int {
	at := current(keys, now)
	for i := at - 1; i >= 0; i-- {
		key := &keys[i]
		if !key.Needed.IsZero() && key.Algorithm == keys[at].Algorithm && now.Sub(key.Signs) < lastingRotation {
			return i
		}
	}
	return at
}
