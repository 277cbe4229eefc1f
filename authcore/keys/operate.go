package keys

import (
	"context"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// State is the role of a key in the ring.
type State string

// The states of a key, in the order in which a key has them.
const (
	StateSuccessor State = "successor" // published, signs later
	StateCurrent   State = "current"   // signs
	StateFormer    State = "former"    // its tokens are accepted
)

// Info describes a key to an operator.
type Info struct {
	ID        string    `json:"id"`
	Algorithm string    `json:"algorithm"`
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	// Signs is the time of the first signature.
	Signs time.Time `json:"signs"`
	// Expires is the time at which the key is removed; zero while no successor
	// limits it.
	Expires time.Time `json:"expires,omitzero"`
}

// List describes the keys of the ring, the oldest first.
func (r *Ring) List() []Info {
	stored := r.state.Load().stored
	list := make([]Info, len(stored))
	at := current(stored, r.cfg.Now())
	for i, key := range stored {
		list[i] = Info{
			ID: key.ID, Algorithm: key.Algorithm, State: StateCurrent,
			Created: key.Created, Signs: key.Signs, Expires: key.Expires,
		}
		switch {
		case i < at:
			list[i].State = StateFormer
		case i > at:
			list[i].State = StateSuccessor
		}
	}
	return list
}

// Rotate makes the successor sign now and publishes a new one. A successor that
// was published less than a lead ago signs after the lead.
func (r *Ring) Rotate(ctx context.Context, now time.Time) error {
	plan := r.planner(now)
	err := r.update(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		keys, err := plan.maintain(keys)
		if err != nil {
			return nil, err
		}
		next := current(keys, now) + 1
		begins := keys[next].Created.Add(lead(r.cfg.Rotation))
		if begins.Before(now) {
			begins = now
		}
		if keys[next].Signs.After(begins) {
			advance(keys, next, begins)
		}
		return plan.complete(keys)
	})
	if err == nil {
		r.cfg.Observe(ctx, authcore.Event{Name: authcore.EventKeysRotated})
	}
	return err
}

// Revoke removes a key. Its tokens and sealed values end: on this node now, on
// others with their next Reload. If it is the current key, the successor signs
// immediately, and a new successor is published. The error is a 404 if there is
// no such key.
func (r *Ring) Revoke(ctx context.Context, id string, now time.Time) error {
	plan := r.planner(now)
	err := r.update(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		plan.used = 0
		at := slices.IndexFunc(keys, func(key authcore.SigningKey) bool { return key.ID == id })
		if at < 0 {
			return nil, authcore.NotFound()
		}
		signing := current(keys, now)
		keys = slices.Delete(slices.Clone(keys), at, at+1)
		if at == signing && at < len(keys) && keys[at].Signs.After(now) {
			keys[at].Signs = now // The key before it signed until the revoked key did.
		}
		return plan.complete(keys)
	})
	if err == nil {
		r.cfg.Observe(ctx, authcore.Event{Name: authcore.EventSigningKeyRevoked, Detail: id})
	}
	return err
}
