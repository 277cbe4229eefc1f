package realm

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var errDown = fmt.Errorf("%w: down", authcore.ErrUnavailable)

// scripted is a store whose calls fail as a test directs.
type scripted struct {
	authcore.Store

	mu    sync.Mutex
	act   func(ctx context.Context) error
	steps []string
}

// do makes the named calls, or all, run act first and fail with its error.
func (s *scripted) do(act func(context.Context) error, steps ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.act, s.steps = act, steps
}

// hang waits like an engine that does not respond.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w: no answer: %w", authcore.ErrUnavailable, ctx.Err())
}

// down fails like an engine that is not reachable.
func down(context.Context) error { return errDown }

func (s *scripted) step(ctx context.Context, name string) error {
	s.mu.Lock()
	act, steps := s.act, s.steps
	s.mu.Unlock()
	if act == nil || len(steps) > 0 && !slices.Contains(steps, name) {
		return nil
	}
	return act(ctx)
}

func (s *scripted) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	if err := s.step(ctx, "Count"); err != nil {
		return nil, err
	}
	return s.Store.Count(ctx, now, counters)
}

func (s *scripted) Login(ctx context.Context, login authcore.LoginStep) (authcore.Account, error) {
	if err := s.step(ctx, "Login"); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.Login(ctx, login)
}

func (s *scripted) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	if err := s.step(ctx, "Record"); err != nil {
		return authcore.Record{}, err
	}
	return s.Store.Record(ctx, key, now)
}

func (s *scripted) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	if err := s.step(ctx, "PutRecord"); err != nil {
		return err
	}
	return s.Store.PutRecord(ctx, record, options)
}

func (s *scripted) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (authcore.Account, error) {
	if err := s.step(ctx, "UpdateAccount"); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.UpdateAccount(ctx, userID, now, change)
}

func (s *scripted) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	if err := s.step(ctx, "MarkSeen"); err != nil {
		return err
	}
	return s.Store.MarkSeen(ctx, seen)
}

func (s *scripted) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	if err := s.step(ctx, "Sweep"); err != nil {
		return authcore.Swept{}, err
	}
	return s.Store.Sweep(ctx, now)
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
