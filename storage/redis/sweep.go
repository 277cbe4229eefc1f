package redis

import (
	"context"
	"strconv"
	"time"
)

// sweepSteps is how many entries Sweep looks at in one step. Others are served
// between two steps, so that nobody waits for a whole Sweep.
const sweepSteps = 500

// Sweep forgets what had expired before now. See authcore.Store. It costs what
// there is to forget, not what is kept, and any number of nodes may sweep.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	if err := s.sweep(ctx, s.db.scripts.sweep, nil, now); err != nil {
		return err
	}
	limits, err := s.run(ctx, s.db.scripts.limits)
	if err != nil {
		return err
	}
	for _, queue := range texts(limits.rest) {
		if err := s.sweep(ctx, s.db.scripts.sweepCounters, []string{queue}, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweep(ctx context.Context, step script, more []string, now time.Time) error {
	for {
		result, err := s.runOn(ctx, step, more, stamp(now), strconv.Itoa(sweepSteps))
		if err != nil || result.number(0) < sweepSteps {
			return err
		}
	}
}
