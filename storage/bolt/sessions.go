package bolt

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxSeenBatch is how many sessions are marked as seen in one step: logins wait
// for it.
const maxSeenBatch = 200

// PutSession stores a new session of an active user. See authcore.Sessions.
func (s *Store) PutSession(ctx context.Context, session authcore.Session) error {
	return change(ctx, s, func(t *tx) error {
		active, err := t.active(session.UserID)
		switch {
		case err != nil:
			return err
		case !active:
			return authcore.ErrUserInactive
		case t.get(sessionsTable, []byte(session.ID)) != nil:
			return authcore.ErrTaken
		}
		return t.addSession(session)
	})
}

// SessionsOf returns the user's live sessions, newest first. See
// authcore.Sessions.
func (s *Store) SessionsOf(ctx context.Context, userID string, now time.Time) ([]authcore.Session, error) {
	return read(ctx, s, func(t *tx) ([]authcore.Session, error) { return t.liveSessions(userID, now) })
}

// RenewSession replaces a session's token. See authcore.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, id, old, new string, expires, now time.Time,
) (authcore.Session, error) {
	return write(ctx, s, func(t *tx) (authcore.Session, error) {
		session, err := load[authcore.Session](t, sessionsTable, []byte(id))
		if err != nil {
			return authcore.Session{}, err
		}
		if !now.Before(session.Expires) || session.TokenID != old {
			return authcore.Session{}, authcore.ErrNotFound
		}
		active, err := t.active(session.UserID)
		if err != nil {
			return authcore.Session{}, err
		}
		if !active {
			return authcore.Session{}, authcore.ErrUserInactive
		}
		former := session.Expires
		session.TokenID, session.Expires = new, expires
		return session, errors.Join(
			t.revoke(authcore.RevokeToken, old, former),
			t.putSession(session),
		)
	})
}

// EndSessions ends the user's live sessions for which the predicate holds. See
// authcore.Sessions.
func (s *Store) EndSessions(
	ctx context.Context, userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	return write(ctx, s, func(t *tx) ([]authcore.Session, error) { return t.endSessions(userID, which, now) })
}

// MarkSeen moves LastSeen of sessions forward. See authcore.Sessions.
//
// It is one step for each maxSeenBatch sessions, so that logins do not wait for
// a hundred thousand of them. Doing a part is no harm: the rest is not lost but
// a little older.
func (s *Store) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(seen)), maxSeenBatch) {
		if err := s.markSeen(ctx, batch, seen); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) markSeen(ctx context.Context, batch []string, seen map[string]time.Time) error {
	return change(ctx, s, func(t *tx) error {
		for _, id := range batch {
			at := seen[id]
			session, err := load[authcore.Session](t, sessionsTable, []byte(id))
			if errors.Is(err, authcore.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if !at.After(session.LastSeen) {
				continue
			}
			session.LastSeen = at
			if err := store(t, sessionsTable, []byte(id), session); err != nil {
				return err
			}
		}
		return nil
	})
}

// addSession stores a session that is not there yet.
func (t *tx) addSession(session authcore.Session) error {
	return errors.Join(
		t.putSession(session),
		t.put(sessionsByUserTable, append(joinKey(session.UserID), session.ID...), nil),
	)
}

// putSession stores a session and when it expires.
func (t *tx) putSession(session authcore.Session) error {
	return errors.Join(
		store(t, sessionsTable, []byte(session.ID), session),
		t.expire(session.Expires, sessionClass, []byte(session.ID)),
	)
}

// liveSessions returns the user's live sessions, newest first.
func (t *tx) liveSessions(userID string, now time.Time) ([]authcore.Session, error) {
	var live []authcore.Session
	prefix := joinKey(userID)
	for _, key := range t.keys(sessionsByUserTable, prefix) {
		session, err := load[authcore.Session](t, sessionsTable, key[len(prefix):])
		if err != nil {
			return nil, damaged(err, sessionsByUserTable)
		}
		if now.Before(session.Expires) {
			live = append(live, session)
		}
	}
	slices.SortFunc(live, func(a, b authcore.Session) int { return b.Created.Compare(a.Created) })
	return live, nil
}

func (t *tx) endSessions(
	userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	live, err := t.liveSessions(userID, now)
	if err != nil {
		return nil, err
	}
	ended := slices.DeleteFunc(live, func(session authcore.Session) bool { return !which(session) })
	for _, session := range ended {
		err := errors.Join(
			t.removeSession(session),
			t.revoke(authcore.RevokeSession, session.ID, session.Expires),
		)
		if err != nil {
			return nil, err
		}
	}
	return ended, nil
}

func (t *tx) removeSession(session authcore.Session) error {
	return errors.Join(
		t.remove(sessionsTable, []byte(session.ID)),
		t.remove(sessionsByUserTable, append(joinKey(session.UserID), session.ID...)),
	)
}

// dropSessions forgets every session of a user, expired ones too.
func (t *tx) dropSessions(userID string) error {
	prefix := joinKey(userID)
	for _, key := range t.keys(sessionsByUserTable, prefix) {
		err := errors.Join(t.remove(sessionsTable, key[len(prefix):]), t.remove(sessionsByUserTable, key))
		if err != nil {
			return err
		}
	}
	return nil
}
