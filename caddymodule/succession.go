package caddymodule

import (
	"sync/atomic"

	"github.com/edgeauth/edgeauth/authcore"
)

// succession leads from the realm of an old configuration to the one that serves
// now. On a reload Caddy cleans the old one up while its server still reads the
// last requests: they are served by the new realm instead of being refused.
//
// What outlives a configuration holds the succession and never a realm: a realm
// holds its service, and with it a cache of tokens, so that a chain of realms
// would keep every configuration that ever was in memory.
type succession struct {
	current atomic.Pointer[Realm]
}

// join finds the succession of the realm's name in the process.
func (r *Realm) join() error {
	shared, release, err := acquire("realm:"+r.name, func() (*succession, func() error, error) {
		return new(succession), nil, nil
	})
	if err == nil {
		r.succession, r.leave = shared, release
	}
	return err
}

// take makes the realm the one that serves.
func (s *succession) take(r *Realm) {
	r.before.Store(s.current.Swap(r))
}

// leave ends the realm's part: when it serves, the configuration failed to load
// or was taken out, and the one before, if it is still there, serves on.
func (s *succession) leave(r *Realm) {
	if !s.current.CompareAndSwap(r, r.before.Load()) {
		if next := s.current.Load(); next != nil {
			next.before.CompareAndSwap(r, nil)
		}
	}
	r.before.Store(nil)
}

// mailer returns the mailer of the realm that serves, or nil.
func (s *succession) mailer() authcore.Mailer {
	if current := s.current.Load(); current != nil {
		if live := current.live.Load(); live != nil {
			return live.mailer
		}
	}
	return nil
}

// successor returns the realm that serves in place of this one, or nil.
func (r *Realm) successor() *Realm {
	if next := r.succession.current.Load(); next != r {
		return next
	}
	return nil
}
