package memory

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	cache "github.com/patrickmn/go-cache"
)

// MaxCounters limits the counters of one limit. With the parties that limits use,
// that many take about 30 MB.
const MaxCounters = 100_000

// Counters is an authcore.Counters in the memory of one process. It is safe for
// concurrent use.
//
// Anonymous requests are counted, so that the counters of each limit are bounded
// by MaxCounters. If all of them are live, an eighth is dropped: those that would
// be zero first, which protect for the shortest time anyway. The counters of other
// limits are not affected.
type Counters struct {
	mu  sync.Mutex
	max int
	// limits has a cache for each limit. go-cache locks each call, but has no
	// operation that reads and replaces an item; mu makes that one step.
	limits map[string]*cache.Cache
}

// NewCounters returns counters that are all zero.
func NewCounters() *Counters {
	return &Counters{max: MaxCounters, limits: map[string]*cache.Cache{}}
}

// Count implements authcore.Counters.
//
// If the clock has moved back, the rest of a window may exceed its length. Then the
// window ends one length from now. Its value stays, so that setting the clock
// resets no limit.
func (c *Counters) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := contextError(ctx); err != nil {
		return nil, err
	}
	now = now.Round(0) // the monotonic clock stops while the machine sleeps
	tallies := make([]authcore.Tally, len(counters))
	for i, counter := range counters {
		tallies[i] = c.add(counter, now)
	}
	return tallies, nil
}

func (c *Counters) add(counter authcore.Counter, now time.Time) authcore.Tally {
	limit := c.limits[counter.Limit]
	if limit == nil {
		limit = cache.New(cache.NoExpiration, 0) // without a cleanup goroutine
		c.limits[counter.Limit] = limit
	}
	key := string(binary.BigEndian.AppendUint64(nil, uint64(counter.Window))) + counter.Party //nolint:gosec // the bits are meant
	tally, found := tallyOf(limit, key)
	found = found && now.Before(tally.Reset)
	end := now.Add(counter.Window)
	switch {
	case !found && counter.Add <= 0:
		return authcore.Tally{Reset: now}
	case !found:
		tally = authcore.Tally{Reset: end}
	case tally.Reset.After(end):
		tally.Reset = end
	}
	tally.N = max(0, tally.N+counter.Add)
	if !found && limit.ItemCount() >= c.max {
		c.makeRoom(limit, now)
	}
	// Reset decides; the clock of go-cache only ends what is long over.
	limit.Set(key, tally, counter.Window+time.Minute)
	return tally
}

func tallyOf(limit *cache.Cache, key string) (authcore.Tally, bool) {
	item, found := limit.Get(key)
	if !found {
		return authcore.Tally{}, false
	}
	tally, valid := item.(authcore.Tally)
	return tally, valid
}

// makeRoom deletes the counters that have ended, then those that end first until
// at least an eighth of the places is free. One pass serves many calls.
func (c *Counters) makeRoom(limit *cache.Cache, now time.Time) {
	limit.DeleteExpired()
	type candidate struct {
		key   string
		reset time.Time
	}
	var live []candidate
	for key := range limit.Items() {
		tally, found := tallyOf(limit, key)
		if !found || !now.Before(tally.Reset) {
			limit.Delete(key)
			continue
		}
		live = append(live, candidate{key: key, reset: tally.Reset})
	}
	excess := len(live) - (c.max - max(1, c.max/8))
	if excess <= 0 {
		return
	}
	slices.SortFunc(live, func(a, b candidate) int { return a.reset.Compare(b.reset) })
	for _, candidate := range live[:excess] {
		limit.Delete(candidate.key)
	}
}

// Sweep deletes counters whose window has ended.
func (c *Counters) Sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, limit := range c.limits {
		limit.DeleteExpired()
		for key := range limit.Items() {
			if tally, found := tallyOf(limit, key); !found || !now.Before(tally.Reset) {
				limit.Delete(key)
			}
		}
	}
}

var _ authcore.Counters = (*Counters)(nil)
