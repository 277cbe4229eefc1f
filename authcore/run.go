package authcore

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How often the work behind the requests is done.
const (
	// pollInterval is the longest time that a missed notification of a
	// revocation can cost.
	pollInterval     = 500 * time.Millisecond
	maintainInterval = time.Minute
	maintainTimeout  = 30 * time.Second
)

// Run does the work behind the requests until ctx ends: it follows revocations,
// rotates keys, writes down when sessions were last seen and forgets what has
// expired. Before it returns it writes down what was seen last.
func (s *Service) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var watcher sync.WaitGroup
	watcher.Go(func() { s.revoked.watch(ctx, wake) })
	defer watcher.Wait()

	poll, maintain := time.NewTicker(pollInterval), time.NewTicker(maintainInterval)
	defer poll.Stop()
	defer maintain.Stop()
	for {
		select {
		case <-ctx.Done():
			s.report("last seen", s.bounded(context.WithoutCancel(ctx), s.flushSeen))
			return
		case <-wake:
			s.report("revocations", s.bounded(ctx, s.refreshRevocations))
		case <-poll.C:
			s.report("revocations", s.bounded(ctx, s.refreshRevocations))
		case <-maintain.C:
			s.report("maintenance", s.bounded(ctx, s.Maintain))
		}
	}
}

// Maintain does once what Run does every minute.
func (s *Service) Maintain(ctx context.Context) error {
	now := s.now()
	s.revoked.copy.Sweep(now)
	return errors.Join(
		s.keys.maintain(ctx, now),
		s.flushSeen(ctx),
		s.store.Sweep(ctx, now),
	)
}

func (s *Service) refreshRevocations(ctx context.Context) error {
	return s.revoked.refresh(ctx, s.now())
}

func (s *Service) flushSeen(ctx context.Context) error {
	times := s.seen.take()
	if len(times) == 0 {
		return nil
	}
	if err := s.store.MarkSeen(ctx, times); err != nil {
		s.seen.putBack(times)
		return err
	}
	return nil
}

func (s *Service) bounded(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, maintainTimeout)
	defer cancel()
	return work(ctx)
}

func (s *Service) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Error("background work failed and will be tried again", "what", what, "error", err)
	}
}
