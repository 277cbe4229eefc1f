package revocation

import (
	"context"
	"sync"
	"time"
)

// Run follows the store until ctx ends. It does not wait for other work of the
// node.
func (f *Follower) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var running sync.WaitGroup
	running.Go(func() { f.watch(ctx, wake) })
	running.Go(func() { f.follow(ctx, wake) })
	running.Wait()
}

// follow refreshes after notifications and every PollInterval. What becomes due
// during a refresh causes one more.
func (f *Follower) follow(ctx context.Context, wake <-chan struct{}) {
	poll := time.NewTicker(PollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-poll.C:
		}
		if err := f.Refresh(ctx); ctx.Err() == nil {
			f.log(err)
		}
	}
}

// log reports the first failure, repeatedly that the copy is too old, and the end
// of an outage.
func (f *Follower) log(err error) {
	if err == nil {
		if f.failing {
			f.cfg.Logger.Info("reading revocations succeeded again")
		}
		f.failing, f.stale = false, false
		return
	}
	if !f.failing {
		f.failing = true
		f.cfg.Logger.Warn("reading revocations failed; retrying", "error", err)
	}
	now, age := f.cfg.Now(), f.Age()
	if age > f.cfg.MaxStaleness && (!f.stale || now.Sub(f.logged) >= repeatInterval) {
		f.stale, f.logged = true, now
		f.cfg.Logger.Error("revocations of other nodes are missing",
			"age", age.Round(time.Second), "revocation_max_staleness", f.cfg.MaxStaleness, "on_stale", f.cfg.OnStale, "error", err)
	}
}

// watch wakes follow when the store notifies. A watch that breaks begins again.
func (f *Follower) watch(ctx context.Context, wake chan<- struct{}) {
	delay := watchDelay
	for {
		began := time.Now()
		err := f.cfg.Store.WatchRevocations(ctx, func() {
			select {
			case wake <- struct{}{}:
			default: // A refresh is due already.
			}
		})
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > maxWatchDelay {
			delay = watchDelay
		}
		if delay == watchDelay || delay == maxWatchDelay {
			f.cfg.Logger.Warn("watching revocations failed; polling", "error", err)
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		delay = min(2*delay, maxWatchDelay)
	}
}
