package keys

import (
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Times of the rotation.
const (
	// maxLead limits the lead.
	maxLead = 24 * time.Hour
	// maxJWKSAge limits for how long caches keep the public keys, and so for how
	// long verifiers elsewhere accept a revoked key.
	maxJWKSAge = 10 * time.Minute
	// skew is the difference between the clocks of nodes that is tolerated: a key
	// may sign that much earlier than planned.
	skew = 2 * time.Minute
)

// lead is the shortest time from the publication of a key to its first signature,
// unless the store was empty or a key was revoked. It is longer than maxAge and
// the interval of the maintenance together.
func lead(rotation time.Duration) time.Duration { return max(2*skew, min(maxLead, rotation/10)) }

// maxAge is the time for which caches may keep the public keys.
func maxAge(rotation time.Duration) time.Duration { return min(maxJWKSAge, lead(rotation)/2) }

// planner derives the next version of the keys from the stored one. A store may
// call it again after a conflict, so that it keeps the keys that it generated.
type planner struct {
	cfg Config
	now time.Time
	// starting means that the node has not loaded keys before; settled, that it
	// has seen a newest key of its algorithm.
	starting, settled bool
	generated         []authcore.SigningKey
	used              int
}

func (r *Ring) planner(now time.Time) *planner {
	return &planner{
		cfg: r.cfg, now: now, starting: len(r.state.Load().keys) == 0, settled: r.settled.Load(),
	}
}

// maintain removes expired keys and makes sure that there is a successor.
func (p *planner) maintain(stored []authcore.SigningKey) ([]authcore.SigningKey, error) {
	p.used = 0
	keys := slices.Clone(stored)
	if !p.starting {
		keys = slices.DeleteFunc(keys, func(key authcore.SigningKey) bool {
			return !key.Expires.IsZero() && !p.now.Before(key.Expires)
		})
	}
	return p.complete(keys)
}

// complete makes sure that there are a current key and a successor, and sets the
// times at which keys expire.
func (p *planner) complete(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
	var err error
	if len(keys) == 0 {
		if keys, err = p.publish(keys, p.now); err != nil {
			return nil, err
		}
	}
	keys = p.discard(keys)
	at := current(keys, p.now)
	due := p.due(keys[at])
	if at == len(keys)-1 {
		if keys, err = p.publish(keys, due); err != nil {
			return nil, err
		}
	}
	// A successor that was planned by a clock that was ahead, or for a longer
	// rotation, signs earlier.
	if keys[at+1].Signs.After(due) {
		advance(keys, at+1, due)
	}
	p.expire(keys)
	return keys, nil
}

// due is the time at which the successor of the current key signs.
func (p *planner) due(current authcore.SigningKey) time.Time {
	due, earliest := current.Signs.Add(p.cfg.Rotation), p.now.Add(lead(p.cfg.Rotation))
	if due.Before(earliest) || current.Algorithm != p.cfg.Algorithm && !p.settled {
		return earliest
	}
	return due
}

// discard removes a successor of another algorithm than the configured one, which
// a node does until it has seen a newest key of its algorithm. Later it accepts
// any: while the nodes are restarted with a new configuration, one by one, they
// would replace the keys of each other. A successor that may sign soon stays.
func (p *planner) discard(keys []authcore.SigningKey) []authcore.SigningKey {
	last := len(keys) - 1
	if last == 0 || p.settled || keys[last].Algorithm == p.cfg.Algorithm || !keys[last].Signs.After(p.now.Add(skew)) {
		return keys
	}
	advance(keys, last, p.now)
	return keys[:last]
}

// advance makes a successor sign earlier. The key before it signs for a shorter
// time then, so that it expires earlier.
func advance(keys []authcore.SigningKey, i int, signs time.Time) {
	if i > 0 {
		keys[i-1].Expires = keys[i-1].Expires.Add(signs.Sub(keys[i].Signs))
	}
	keys[i].Signs = signs
}

// publish appends a key that signs at a time.
func (p *planner) publish(keys []authcore.SigningKey, signs time.Time) ([]authcore.SigningKey, error) {
	if p.used == len(p.generated) {
		key, err := generate(p.cfg.Algorithm, p.cfg.Random)
		if err != nil {
			return nil, err
		}
		p.generated = append(p.generated, key)
	}
	key := p.generated[p.used]
	p.used++
	key.Created, key.Signs = p.now, signs
	return append(keys, key), nil
}

// expire sets the times until which keys with a successor are needed: a lifetime
// after the successor signs, and a lead more for nodes whose clock is behind. A
// lifetime that was longer before counts: its tokens exist. An API key that the key
// signed needs it, too.
func (p *planner) expire(keys []authcore.SigningKey) {
	for i := range len(keys) - 1 {
		needed := keys[i+1].Signs.Add(p.cfg.Lifetime + lead(p.cfg.Rotation))
		if keys[i].Needed.After(needed) {
			needed = keys[i].Needed
		}
		if keys[i].Expires.Before(needed) {
			keys[i].Expires = needed
		}
	}
}
