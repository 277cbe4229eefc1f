package authcore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// scripted is a store that does what a test says: before a step it calls act
// with the name of the step, and goes on when that returns nil. Calls counts the
// steps that began.
type scripted struct {
	authcore.Store

	mu    sync.Mutex
	act   func(ctx context.Context, step string) error
	calls map[string]int
}

func newScripted(store authcore.Store) *scripted {
	return &scripted{Store: store, calls: map[string]int{}}
}

// hang waits as an engine does that says nothing any more.
func hang(ctx context.Context, _ string) error {
	<-ctx.Done()
	return fmt.Errorf("%w: %w", authcore.ErrUnavailable, ctx.Err())
}

// down fails as an engine does that is not there.
func down(context.Context, string) error { return errDown }

// do has the steps of these names, or all, act from now on.
func (s *scripted) do(act func(context.Context, string) error, steps ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.act = act
	if len(steps) > 0 && act != nil {
		s.act = func(ctx context.Context, step string) error {
			for _, name := range steps {
				if name == step {
					return act(ctx, step)
				}
			}
			return nil
		}
	}
}

func (s *scripted) begun(step string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[step]
}

func (s *scripted) step(ctx context.Context, name string) error {
	s.mu.Lock()
	s.calls[name]++
	act := s.act
	s.mu.Unlock()
	if act == nil {
		return nil
	}
	return act(ctx, name)
}

func (s *scripted) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	if err := s.step(ctx, "Count"); err != nil {
		return nil, err
	}
	return s.Store.Count(ctx, now, counters)
}

func (s *scripted) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	if err := s.step(ctx, "TakeLink"); err != nil {
		return authcore.Link{}, err
	}
	return s.Store.TakeLink(ctx, secret, now)
}

func (s *scripted) UserByEmail(ctx context.Context, key string) (authcore.User, error) {
	if err := s.step(ctx, "UserByEmail"); err != nil {
		return authcore.User{}, err
	}
	return s.Store.UserByEmail(ctx, key)
}

func (s *scripted) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	if err := s.step(ctx, "UnlinkIdentity"); err != nil {
		return err
	}
	return s.Store.UnlinkIdentity(ctx, identity)
}

func (s *scripted) EndSessions(
	ctx context.Context, userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	if err := s.step(ctx, "EndSessions"); err != nil {
		return nil, err
	}
	return s.Store.EndSessions(ctx, userID, which, now)
}

func (s *scripted) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	if err := s.step(ctx, "UpdateKeys"); err != nil {
		return nil, err
	}
	return s.Store.UpdateKeys(ctx, change)
}

func (s *scripted) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	if err := s.step(ctx, "RevocationsSince"); err != nil {
		return nil, "", err
	}
	entries, next, err := s.Store.RevocationsSince(ctx, cursor)
	for i := range entries {
		entries[i].Age = 10 * time.Millisecond
	}
	return entries, next, err
}

func (s *scripted) WatchRevocations(ctx context.Context, notify func()) error {
	if err := s.step(ctx, "WatchRevocations"); err != nil {
		return err
	}
	return s.Store.WatchRevocations(ctx, notify)
}

// newNode is a service of its own on a store, with the real clock, which in a
// bubble of synctest is a virtual one.
func newNode(t *testing.T, store authcore.Store, change func(*authcore.Config)) *fixture {
	t.Helper()
	return newFixture(t, func(c *authcore.Config) {
		c.Store, c.Now = store, nil
		if change != nil {
			change(c)
		}
	})
}

// run runs the node until the test ends, or stop is called.
func (f *fixture) run() (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// pass lets time go by in a bubble of synctest.
func pass(d time.Duration) { <-time.After(d) }
