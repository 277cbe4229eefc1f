package authcore

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How often the work behind the requests is done, and how long it may take.
const (
	maintainInterval = time.Minute
	maintainTimeout  = 30 * time.Second
	// lastTimeout bounds what is done at the end: a process that stops, and a
	// reload, wait for it.
	lastTimeout = 5 * time.Second
	// sweepDelay is for how long the store keeps what has expired, for nodes whose
	// clocks are behind: a logout is needed until the token has expired there too.
	sweepDelay = time.Minute
)

// Run does the work behind the requests until ctx ends: it follows revocations,
// rotates keys, writes down when sessions were last seen and forgets what has
// expired. Before it returns it writes down what was seen last. Revocations have
// goroutines of their own, because they must not wait for the rest.
func (s *Service) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var followers sync.WaitGroup
	followers.Go(func() { s.revoked.watch(ctx, wake) })
	followers.Go(func() { s.revoked.follow(ctx, wake) })
	defer followers.Wait()

	maintain := time.NewTicker(maintainInterval)
	defer maintain.Stop()
	for {
		select {
		case <-ctx.Done():
			s.report("last seen", bounded(context.WithoutCancel(ctx), lastTimeout, s.flushSeen))
			return
		case <-maintain.C:
			s.report("maintenance", bounded(ctx, maintainTimeout, s.Maintain))
		}
	}
}

// Maintain does once what Run does every minute. What one part of it meets does
// not keep the others from being done.
func (s *Service) Maintain(ctx context.Context) error {
	now := s.now()
	s.revoked.copy.Sweep(now)
	return errors.Join(
		s.keys.maintain(ctx, now),
		s.flushSeen(ctx),
		s.store.Sweep(ctx, now.Add(-sweepDelay)),
	)
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

func bounded(ctx context.Context, most time.Duration, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return work(ctx)
}

func (s *Service) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Error("background work failed and will be tried again", "what", what, "error", err)
	}
}
