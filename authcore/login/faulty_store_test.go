package login_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// faultyStore counts calls and fails those that the test selects.
type faultyStore struct {
	authcore.Store

	mu    sync.Mutex
	calls map[string]int
	// fail returns the error of the nth call (from 1) of a method, and whether the
	// step takes place before the error is returned.
	fail func(method string, n int) (err error, after bool)
	// puts are the records that were stored by themselves.
	puts []authcore.Record
	// steps are the login steps.
	steps []authcore.LoginStep
}

var errDown = errors.Join(authcore.ErrUnavailable, errors.New("no route to the engine"))

func newFaultyStore(store authcore.Store) *faultyStore {
	return &faultyStore{Store: store, calls: map[string]int{}}
}

func (s *faultyStore) failing(fail func(method string, n int) (error, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.fail = map[string]int{}, fail
}

func (s *faultyStore) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

func (s *faultyStore) call(method string, step func() error) error {
	s.mu.Lock()
	s.calls[method]++
	n, fail := s.calls[method], s.fail
	s.mu.Unlock()
	if fail != nil {
		if err, after := fail(method, n); err != nil {
			if after {
				_ = step()
			}
			return err
		}
	}
	return step()
}

func (s *faultyStore) User(ctx context.Context, ref authcore.UserRef) (user authcore.User, err error) {
	err = s.call("User", func() error { user, err = s.Store.User(ctx, ref); return err })
	return user, err
}

func (s *faultyStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (account authcore.Account, err error) {
	err = s.call("Account", func() error { account, err = s.Store.Account(ctx, ref, now); return err })
	return account, err
}

func (s *faultyStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (record authcore.Record, err error) {
	err = s.call("Record", func() error { record, err = s.Store.Record(ctx, key, now); return err })
	return record, err
}

func (s *faultyStore) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) (err error) {
	return s.call("PutRecord", func() error {
		if err := s.Store.PutRecord(ctx, record, options); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.puts = append(s.puts, record)
		return nil
	})
}

func (s *faultyStore) Login(ctx context.Context, step authcore.LoginStep) (account authcore.Account, err error) {
	err = s.call("Login", func() error {
		s.mu.Lock()
		s.steps = append(s.steps, step)
		s.mu.Unlock()
		account, err = s.Store.Login(ctx, step)
		return err
	})
	if err != nil {
		return authcore.Account{}, err
	}
	return account, nil
}

func (s *faultyStore) Count(ctx context.Context, now time.Time, counters []authcore.Counter) (tallies []authcore.Tally, err error) {
	err = s.call("Count", func() error { tallies, err = s.Store.Count(ctx, now, counters); return err })
	return tallies, err
}
