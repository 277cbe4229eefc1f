package revocation

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

var errDown = fmt.Errorf("%w: down", authcore.ErrUnavailable)

// pageSize is the number of entries in a page of a feedStore.
const pageSize = 3

// feedStore is an authcore.Revocations in memory.
type feedStore struct {
	mu       sync.Mutex
	entries  []authcore.Revocation
	watchers []func()
	// read and watch, if set, run before the calls, which fail with their errors.
	read, watch func(context.Context) error
	// cursors are those of all reads; watched counts calls.
	cursors []string
	watched int
}

// add appends entries and notifies.
func (s *feedStore) add(entries ...authcore.Revocation) {
	s.mu.Lock()
	s.entries = append(s.entries, entries...)
	watchers := s.watchers
	s.mu.Unlock()
	for _, notify := range watchers {
		notify()
	}
}

func (s *feedStore) set(read, watch func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read, s.watch = read, watch
}

func (s *feedStore) calls() (reads, watches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cursors), s.watched
}

func (s *feedStore) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	s.mu.Lock()
	s.cursors = append(s.cursors, cursor)
	read := s.read
	s.mu.Unlock()
	if read != nil {
		if err := read(ctx); err != nil {
			return nil, "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := strconv.Atoi(cursor)
	to := min(from+pageSize, len(s.entries))
	page := append([]authcore.Revocation(nil), s.entries[from:to]...)
	for i := range page {
		page[i].Age = 10 * time.Millisecond
	}
	return page, strconv.Itoa(to), nil
}

func (s *feedStore) WatchRevocations(ctx context.Context, notify func()) error {
	s.mu.Lock()
	s.watched++
	watch := s.watch
	s.mu.Unlock()
	if watch != nil {
		return watch(ctx)
	}
	s.mu.Lock()
	s.watchers = append(s.watchers, notify)
	s.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func down(context.Context) error { return errDown }

// hang waits like an engine that does not respond.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w: no answer: %w", authcore.ErrUnavailable, ctx.Err())
}

func session(id string, until time.Time) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeSession, ID: id, Until: until}
}

func user(id string, until time.Time) authcore.Revocation {
	return authcore.Revocation{Kind: authcore.RevokeUser, ID: id, Until: until}
}
