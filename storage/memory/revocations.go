package memory

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// RevocationsSince returns what was revoked after the cursor. See
// authcore.Revocations. A cursor that this store did not make counts as empty.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	revocations, next := s.feed.since(cursor)
	return revocations, next, nil
}

// WatchRevocations calls notify once at the beginning and after every
// revocation, until ctx ends. See authcore.Revocations.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	return s.watchers.Watch(ctx, notify)
}

// revoke adds to the feed; a zero time lifts.
func (s *Store) revoke(kind gate.RevocationKind, id string, until time.Time) {
	s.feed.add(authcore.Revocation{Kind: kind, ID: id, Until: wall(until)})
	s.watchers.Notify()
}
