package caddymodule

import (
	"sync/atomic"

	"github.com/edgeauth/edgeauth/authcore"
)

// succession leads from the realm of an old configuration to that of the new
// one. On a reload Caddy cleans the old one up while its server still reads the
// last requests: they are served by the new realm instead of being refused.
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

// successor returns the realm of a later configuration, or nil.
func (r *Realm) successor() *Realm {
	if next := r.succession.current.Load(); next != r {
		return next
	}
	return nil
}

// successorsMailer returns the mailer of the realm that serves now, or nil when
// that is this one or none.
func (r *Realm) successorsMailer() authcore.Mailer {
	next := r.successor()
	if next == nil {
		return nil
	}
	live := next.live.Load()
	if live == nil {
		return nil
	}
	return live.mailer
}
