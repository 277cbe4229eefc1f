package storagetest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// onSince returns a fault that changes the entries of the feed.
func onSince(spoil func(*revoked)) func(*hooked) {
	return func(h *hooked) {
		h.since = func(ctx context.Context, cursor string) ([]revoked, string, error) {
			entries, next, err := h.Store.RevocationsSince(ctx, cursor)
			for i := range entries {
				spoil(&entries[i])
			}
			return entries, next, err
		}
	}
}

func feedFaults() map[string]fault {
	countWith := func(spoil func(now time.Time, c *authcore.Counter) time.Time) func(*hooked) {
		return func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				counters = slices.Clone(counters)
				for i := range counters {
					now = spoil(now, &counters[i])
				}
				return h.Store.Count(ctx, now, counters)
			}
		}
	}
	return map[string]fault{
		"a feed that misses entries": {group: "Revocations", inject: func(h *hooked) {
			h.since = func(ctx context.Context, cursor string) ([]revoked, string, error) {
				entries, next, err := h.Store.RevocationsSince(ctx, cursor)
				if cursor != "" && len(entries) > 1 {
					entries = entries[1:]
				}
				return entries, next, err
			}
		}},
		"a lift that is lost": {group: "Revocations", inject: onSince(func(r *revoked) {
			if r.Until.IsZero() {
				r.ID = "lost"
			}
		})},
		"entries without a kind": {group: "Revocations", inject: onSince(func(r *revoked) { r.Kind = authcore.RevokeUser })},
		"a silent watch": {group: "Revocations", inject: func(h *hooked) {
			h.watch = func(ctx context.Context, _ func()) error { return h.Store.WatchRevocations(ctx, func() {}) }
		}},
		"keys that are shared": {group: "Copies", inject: func(h *hooked) {
			var last keys
			h.rotate = func(_ context.Context, change func(keys) (keys, error)) (keys, error) {
				next, err := change(last)
				if err == nil {
					last = next
				}
				return next, err
			}
		}},
		"rotations that overwrite": {group: "Keys", inject: func(h *hooked) {
			h.rotate = func(ctx context.Context, change func(keys) (keys, error)) (keys, error) {
				read, _ := h.Store.UpdateKeys(ctx, func(k keys) (keys, error) { return k, nil })
				next, err := change(read)
				if err != nil {
					return nil, err
				}
				pause()
				return h.Store.UpdateKeys(ctx, func(keys) (keys, error) { return next, nil })
			}
		}},
		"a rotation in a transaction": {group: "Keys", inject: func(h *hooked) {
			var lock sync.RWMutex
			h.rotate = func(ctx context.Context, change func(keys) (keys, error)) (keys, error) {
				lock.Lock()
				defer lock.Unlock()
				return h.Store.UpdateKeys(ctx, change)
			}
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				lock.RLock()
				defer lock.RUnlock()
				return h.Store.User(ctx, ref)
			}
		}},
		"windows that slide": {group: "Counters", inject: func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				tallies, err := h.Store.Count(ctx, now, counters)
				for i := range tallies {
					tallies[i].Reset = now.Add(counters[i].Window)
				}
				return tallies, err
			}
		}},
		"values below zero": {group: "Counters", inject: func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				tallies, err := h.Store.Count(ctx, now, counters)
				for i := range tallies {
					tallies[i].N += min(0, counters[i].Add+1)
				}
				return tallies, err
			}
		}},
		"a clock that pins windows": {group: "Counters", inject: func() func(*hooked) {
			var latest time.Time
			return countWith(func(now time.Time, _ *authcore.Counter) time.Time {
				if now.After(latest) {
					latest = now
				}
				return latest
			})
		}()},
		"a clock that resets windows": {group: "Counters", inject: countWith(func(now time.Time, c *authcore.Counter) time.Time {
			c.Limit += now.Format(time.DateOnly)
			return now
		})},
		"windows by the clock of the node": {group: "Counters", config: func(c *storagetest.Config) { c.Clock = true }},
		"counters without a bound":         {group: "Counters", config: func(c *storagetest.Config) { c.MaxCounters = 2000 }},
		"a bound for all limits": {
			group:  "Counters",
			inject: countWith(func(now time.Time, c *authcore.Counter) time.Time { c.Limit = ""; return now }),
			config: func(c *storagetest.Config) { c.MaxCounters = 100_000 },
		},
	}
}
