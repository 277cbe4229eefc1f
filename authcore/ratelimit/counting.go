package authcore

import (
	"context"
	"sync/atomic"
	"time"
)

// How limits are counted while the store cannot.
const (
	// countTimeout is how long a request waits for its count; what it is counted
	// for waits for the store once more.
	countTimeout = time.Second
	// recountInterval is for how long the store is not asked after a failure.
	recountInterval = 2 * time.Second
)

// counting remembers that the store could not count.
type counting struct {
	// local is until when the store is not asked, in nanoseconds since 1970;
	// zero means that it answered last.
	local atomic.Int64
}

// count counts in the store, which all nodes share, or while the store does not
// answer for this process alone: then there are as many limits as nodes, which
// is more than none.
func (s *Service) count(ctx context.Context, now time.Time, counter Counter) (Tally, error) {
	counters := []Counter{counter}
	rest := time.Duration(s.counting.local.Load() - now.UnixNano())
	// More than one interval ahead is a clock that was turned back.
	if rest <= 0 || rest > recountInterval || s.cfg.LocalCounters == nil {
		tally, err := s.countShared(ctx, now, counters)
		if err == nil || s.cfg.LocalCounters == nil || ctx.Err() != nil {
			return tally, err
		}
	}
	tallies, err := s.cfg.LocalCounters.Count(ctx, now, counters)
	if err != nil {
		return Tally{}, err
	}
	return tallies[0], nil
}

// countShared counts in the store and notes whether that worked.
func (s *Service) countShared(ctx context.Context, now time.Time, counters []Counter) (Tally, error) {
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	tallies, err := s.store.Count(counting, now, counters)
	if err != nil {
		if ctx.Err() == nil && s.counting.local.Swap(s.now().Add(recountInterval).UnixNano()) == 0 {
			s.log.Warn("the store does not count requests; limits are those of this node alone until it does", "error", err)
		}
		return Tally{}, err
	}
	if s.counting.local.Load() != 0 && s.counting.local.Swap(0) != 0 {
		s.log.Info("the store counts requests again")
	}
	return tallies[0], nil
}
