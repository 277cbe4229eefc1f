package caddymodule

import (
	"sync/atomic"

	"github.com/edgeauth/edgeauth/authcore"
)

// handover leads from the realm of a replaced configuration to the realm that
// serves now. On a reload Caddy cleans up the old configuration while its server
// still reads the last requests; the new realm serves them.
//
// Resources that outlive a configuration refer to the handover and never to a
// realm. A chain of realms would keep every past configuration in memory.
type handover struct {
	current atomic.Pointer[Realm]
}

// begin makes r the realm that serves.
func (h *handover) begin(r *Realm) { r.previous.Store(h.current.Swap(r)) }

// end removes r. If r serves now, its configuration failed to load or was removed,
// and the previous realm, if it still exists, serves again.
func (h *handover) end(r *Realm) {
	if !h.current.CompareAndSwap(r, r.previous.Load()) {
		if next := h.current.Load(); next != nil {
			next.previous.CompareAndSwap(r, nil)
		}
	}
	r.previous.Store(nil)
}

// mailer returns the mailer of the realm that serves, or nil.
func (h *handover) mailer() authcore.Mailer {
	if current := h.current.Load(); current != nil {
		if live := current.live.Load(); live != nil {
			return live.mailer
		}
	}
	return nil
}

// successor returns the realm that serves instead of r, or nil.
func (r *Realm) successor() *Realm {
	if next := r.handover.current.Load(); next != r {
		return next
	}
	return nil
}
