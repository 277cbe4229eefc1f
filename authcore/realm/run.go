package realm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Intervals and timeouts of the work of Run.
const (
	maintainInterval = time.Minute
	maintainTimeout  = 30 * time.Second
	// reloadInterval and reloadTimeout limit the time for which other nodes use a
	// revoked key; see keys.Ring.Reload.
	reloadInterval = 5 * time.Second
	reloadTimeout  = 2 * time.Second
	// lastTimeout limits the last write: a reload of the configuration waits for
	// it.
	lastTimeout = 5 * time.Second
	// sweepDelay is added to the lifetime of stored items, for nodes whose clocks
	// are behind: they need a revocation until its tokens have expired there.
	sweepDelay = time.Minute
)

// Run follows revocations and keys of other nodes, rotates keys, records when
// sessions were last used, writes the audit trail, sends webhooks, and deletes what has expired, until
// ctx ends. Before it
// returns it writes what was recorded. Each of these has its own goroutine, so that
// a slow one does not delay the others.
func (r *Realm) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { r.Revocations.Run(ctx) })
	running.Go(func() { r.every(ctx, reloadInterval, reloadTimeout, "reloading keys failed; retrying", r.Keys.Reload) })
	running.Go(func() { r.every(ctx, maintainInterval, maintainTimeout, "maintenance failed; retrying", r.Maintain) })
	if r.Audit != nil {
		running.Go(func() { r.Audit.Run(ctx) })
		running.Go(func() { r.Webhooks.Run(ctx) })
	}
	running.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTimeout)
	defer cancel()
	if err := r.Sessions.FlushSeen(last); err != nil {
		r.cfg.Logger.Error("recording last use failed", "error", err)
	}
}

// every does some work periodically until ctx ends. It logs the first failure of
// several.
func (r *Realm) every(ctx context.Context, interval, timeout time.Duration, message string, work func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		bounded, cancel := context.WithTimeout(ctx, timeout)
		err := work(bounded)
		cancel()
		if err != nil && !failing && ctx.Err() == nil {
			r.cfg.Logger.Error(message, "error", err) //nolint:sloglint // each caller passes a constant
		}
		failing = err != nil
	}
}

// Maintain does once what Run does every minute. A failure of one part does not
// stop the others.
//
// Its time is the horizon of the clock, so that a clock that jumps forward and
// back deletes no revocation, session or key that is needed. An engine with a
// clock of its own checks that as well.
func (r *Realm) Maintain(ctx context.Context) error {
	now := r.horizon.Now()
	r.Revocations.Sweep()
	maintainErr := r.Keys.Maintain(ctx, now)
	flushErr := r.Sessions.FlushSeen(ctx)
	swept, sweepErr := r.cfg.Store.Sweep(ctx, now.Add(-sweepDelay))
	if swept.Damaged > 0 {
		r.cfg.Logger.Warn("store contains damaged items", "damaged", swept.Damaged)
	}
	return errors.Join(maintainErr, flushErr, sweepErr)
}
