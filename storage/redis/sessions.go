package redis

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxSeenBatch is how many sessions are marked as seen in one step: everybody
// waits for a script.
const maxSeenBatch = 200

// PutSession stores a new session of an active user. See authcore.Sessions.
func (s *Store) PutSession(ctx context.Context, session authcore.Session) error {
	text, err := encodeSession(session)
	if err != nil {
		return err
	}
	_, err = s.run(ctx, s.db.scripts.putSession, session.ID, session.UserID, text)
	return err
}

// SessionsOf returns the user's live sessions, newest first. See
// authcore.Sessions.
func (s *Store) SessionsOf(ctx context.Context, userID string, now time.Time) ([]authcore.Session, error) {
	sessions, _, err := s.sessionsOf(ctx, userID, now)
	return sessions, err
}

// sessionsOf returns live sessions, newest first, and by their ids the texts that
// a change of them is compared with.
func (s *Store) sessionsOf(
	ctx context.Context, userID string, now time.Time,
) ([]authcore.Session, map[string]string, error) {
	result, err := s.run(ctx, s.db.scripts.sessionsOf, userID, stamp(now))
	if err != nil {
		return nil, nil, err
	}
	stored := texts(result.rest)
	sessions, err := decodeAll(stored, decodeSession)
	if err != nil {
		return nil, nil, damaged("sessions")
	}
	byID := make(map[string]string, len(stored))
	for i, session := range sessions {
		byID[session.ID] = stored[i]
	}
	slices.SortFunc(sessions, func(a, b authcore.Session) int { return b.Created.Compare(a.Created) })
	return sessions, byID, nil
}

// RenewSession replaces a session's token. See authcore.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, id, old, new string, expires, now time.Time,
) (authcore.Session, error) {
	result, err := s.run(ctx, s.db.scripts.renewSession, id, old, new, stamp(expires), stamp(now))
	if err != nil {
		return authcore.Session{}, err
	}
	session, err := decodeSession(result.text(0))
	return decoded(session, err, "sessions")
}

// EndSessions ends the user's live sessions for which the predicate holds. See
// authcore.Sessions.
func (s *Store) EndSessions(
	ctx context.Context, userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	return retry(ctx, func() ([]authcore.Session, bool, error) {
		sessions, stored, err := s.sessionsOf(ctx, userID, now)
		if err != nil {
			return nil, false, err
		}
		ended := slices.DeleteFunc(sessions, func(session authcore.Session) bool { return !which(session) })
		if len(ended) == 0 {
			return nil, false, nil
		}
		arguments := []string{userID}
		for _, session := range ended {
			arguments = append(arguments, session.ID, stored[session.ID])
		}
		result, err := s.run(ctx, s.db.scripts.endSessions, arguments...)
		return ended, result.overtaken(), err
	})
}

// MarkSeen moves LastSeen of sessions forward. See authcore.Sessions. It is one
// step for each maxSeenBatch sessions: doing a part is no harm, the rest is not
// lost but a little older.
func (s *Store) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(seen)), maxSeenBatch) {
		var arguments []string
		for _, id := range batch {
			arguments = append(arguments, id, stamp(seen[id]))
		}
		if _, err := s.run(ctx, s.db.scripts.markSeen, arguments...); err != nil {
			return err
		}
	}
	return nil
}
