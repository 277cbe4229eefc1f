package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Store is an authcore.Store for one realm. It is safe for concurrent use, needs
// no closing, and forgets everything when it is dropped. Make it with New.
//
// The functions that UpdateUser, UpdateFlow, EndSessions and UpdateKeys are given
// run while the store is locked: they must not call it.
type Store struct {
	mu sync.Mutex

	users   table[authcore.User]
	byEmail map[string]string // Address.Key of a verified address -> user id

	identities       table[authcore.Identity]
	identitiesOfUser index

	links       table[authcore.Link]
	linkByEmail map[string]authcore.Digest

	flows table[authcore.Flow]

	sessions       table[authcore.Session]
	sessionsOfUser index

	feed     feed
	watchers *Watchers
	keys     []authcore.SigningKey
	counters *Counters
}

// New returns an empty store.
func New() *Store {
	return &Store{
		users:            newTable[authcore.User](),
		byEmail:          make(map[string]string),
		identities:       newTable[authcore.Identity](),
		identitiesOfUser: make(index),
		links:            newTable[authcore.Link](),
		linkByEmail:      make(map[string]authcore.Digest),
		flows:            newTable[authcore.Flow](),
		sessions:         newTable[authcore.Session](),
		sessionsOfUser:   make(index),
		feed:             newFeed(),
		watchers:         NewWatchers(),
		counters:         NewCounters(),
	}
}

// Count adds one to each counter. See authcore.Counters and Counters here.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	return s.counters.Count(ctx, now, counters)
}

// Sweep forgets what had expired before now. See authcore.Store.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.links.sweep(now, func(l authcore.Link) time.Time { return l.Expires }, s.removeLink)
	s.flows.sweep(now, func(f authcore.Flow) time.Time { return f.Expires }, s.removeFlow)
	s.sessions.sweep(now, func(x authcore.Session) time.Time { return x.Expires }, s.removeSession)
	s.feed.sweep(now)
	s.counters.sweep(now)
	return nil
}

// lock begins a step unless the context has ended already. A step does not wait
// for anything but other steps, so the context need not be watched during it.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	s.mu.Lock()
	if err := contextError(ctx); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	return s.mu.Unlock, nil
}

// contextError returns nil while the context lives, then what the contract of
// authcore.Store asks for.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w: %w", authcore.ErrUnavailable, err)
	}
	return nil
}

// wall drops the monotonic reading of a time. What is stored is compared with
// the wall time of later calls; with the reading kept, two times of one process
// would be compared by a clock that stands still while the machine sleeps.
func wall(t time.Time) time.Time { return t.Round(0) }

var _ authcore.Store = (*Store)(nil)
