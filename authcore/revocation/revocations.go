package authcore

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// How revocations of other nodes are followed.
const (
	// pollInterval is the longest time that a missed notification can cost.
	pollInterval = 500 * time.Millisecond
	// refreshTimeout is when a read of the feed is given up, for one that waits
	// on a dead connection would keep the next one from finding a good one.
	refreshTimeout = 2 * time.Second
	// A watch that broke is begun anew after watchDelay, and after twice as long
	// each time until it has lasted for maxWatchDelay.
	watchDelay    = 100 * time.Millisecond
	maxWatchDelay = 5 * time.Second
	// repeatInterval is how often an outage that goes on is logged.
	repeatInterval = 30 * time.Second
)

// revocations keeps this node's copy of what is revoked. Requests are checked
// against the copy; the store feeds it.
type revocations struct {
	cfg  revocationsConfig
	copy *gate.Revocations

	mu       sync.Mutex // held while refreshing, so that cursors do not run back
	cursor   string
	complete bool // the copy was complete once

	// What was logged, for follow alone.
	failing, stale bool
	said           time.Time
}

type revocationsConfig struct {
	store Revocations
	log   *slog.Logger
	now   func() time.Time
	// most is how old the copy may be, and onStale what is done when it is
	// older; the gate does it, here it is only said.
	most    time.Duration
	onStale string
	// lag is told how long revocations of other nodes took to arrive.
	lag func(time.Duration)
}

func newRevocations(cfg revocationsConfig) *revocations {
	return &revocations{cfg: cfg, copy: gate.NewRevocations()}
}

// apply takes over what this node revoked itself, at once.
func (r *revocations) apply(entries ...Revocation) { r.copy.Apply(entries...) }

// age is how long ago the copy was complete last.
func (r *revocations) age() time.Duration {
	return max(0, r.cfg.now().Sub(r.copy.RefreshedAt()))
}

// refresh takes over what is new in the store. Each read has its own time, so
// that a long feed arrives page by page.
func (r *revocations) refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		at, began := r.cfg.now(), time.Now()
		reading, cancel := context.WithTimeout(ctx, refreshTimeout)
		entries, cursor, err := r.cfg.store.RevocationsSince(reading, r.cursor)
		cancel()
		if err != nil {
			return err
		}
		r.takeOver(entries, at, began)
		if r.cursor = cursor; len(entries) == 0 {
			r.complete = true
			r.copy.Refreshed(at)
			return nil
		}
	}
}

// takeOver puts entries in force, and tells how long those took to arrive that
// another node has made.
func (r *revocations) takeOver(entries []Revocation, now, began time.Time) {
	live, ages := entries[:0], []time.Duration(nil)
	for _, entry := range entries {
		if !entry.Until.IsZero() && !now.Before(entry.Until) {
			continue
		}
		live = append(live, entry)
		if r.complete && entry.Age > 0 && !entry.Until.IsZero() && !r.copy.Has(entry) {
			ages = append(ages, entry.Age)
		}
	}
	r.copy.Apply(live...)
	for _, age := range ages {
		r.cfg.lag(age + time.Since(began))
	}
}

// follow refreshes whenever something may be new and every pollInterval, until
// ctx ends. What comes due meanwhile falls together into one.
func (r *revocations) follow(ctx context.Context, wake <-chan struct{}) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-poll.C:
		}
		if err := r.refresh(ctx); ctx.Err() == nil {
			r.tell(err)
		}
	}
}

// tell logs how following goes: the first failure, once in a while that the copy
// has become too old, and the end.
func (r *revocations) tell(err error) {
	if err == nil {
		if r.failing {
			r.cfg.log.Info("revocations are followed again")
		}
		r.failing, r.stale = false, false
		return
	}
	if !r.failing {
		r.failing = true
		r.cfg.log.Warn("revocations could not be read; it is tried again all the time", "error", err)
	}
	now, age := r.cfg.now(), r.age()
	if age > r.cfg.most && (!r.stale || now.Sub(r.said) >= repeatInterval) {
		r.stale, r.said = true, now
		r.cfg.log.Error("revocations are stale: logouts at other nodes are not in force here",
			"age", age.Round(time.Second), "revocation_max_staleness", r.cfg.most, "on_stale", r.cfg.onStale, "error", err)
	}
}

// watch has follow refresh whenever the store says that something is new, until
// ctx ends. A watch that breaks is begun anew.
func (r *revocations) watch(ctx context.Context, wake chan<- struct{}) {
	delay := watchDelay
	for {
		began := time.Now()
		err := r.cfg.store.WatchRevocations(ctx, func() {
			select {
			case wake <- struct{}{}:
			default: // a refresh is due already
			}
		})
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > maxWatchDelay {
			delay = watchDelay
		}
		if delay == watchDelay || delay == maxWatchDelay {
			r.cfg.log.Warn("watching for revocations was interrupted; polling goes on", "error", err)
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
