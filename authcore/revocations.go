package authcore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// revocations keeps this node's copy of what is revoked. Requests are checked
// against the copy; the store feeds it.
type revocations struct {
	store Revocations
	log   *slog.Logger
	copy  *gate.Revocations

	// refreshed is the time, in seconds since 1970, up to which everything that
	// the store knew is in the copy.
	refreshed atomic.Int64

	mu     sync.Mutex // held while refreshing, so that cursors do not run back
	cursor string
}

func newRevocations(store Revocations, log *slog.Logger) *revocations {
	return &revocations{store: store, log: log, copy: gate.NewRevocations()}
}

// apply takes over what this node revoked itself, at once.
func (r *revocations) apply(entries ...Revocation) { r.copy.Apply(entries...) }

// refresh takes over what is new in the store.
func (r *revocations) refresh(ctx context.Context, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		entries, cursor, err := r.store.RevocationsSince(ctx, r.cursor)
		if err != nil {
			return err
		}
		live := entries[:0]
		for _, entry := range entries {
			if entry.Until.IsZero() || now.Before(entry.Until) {
				live = append(live, entry)
			}
		}
		if len(live) > 0 {
			r.copy.Apply(live...)
		}
		if r.cursor = cursor; len(entries) == 0 {
			r.refreshed.Store(now.Unix())
			return nil
		}
	}
}

// watch refreshes whenever the store says that something is new, until ctx
// ends, and begins anew when the watch breaks.
func (r *revocations) watch(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		err := r.store.WatchRevocations(ctx, func() {
			select {
			case wake <- struct{}{}:
			default: // a refresh is due already
			}
		})
		if ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return
		}
		r.log.Warn("watching for revocations was interrupted; polling goes on", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
