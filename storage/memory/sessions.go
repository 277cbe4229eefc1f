package memory

import (
	"context"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutSession stores a new session of an active user. See authcore.Sessions.
func (s *Store) PutSession(ctx context.Context, session authcore.Session) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !s.active(session.UserID) {
		return authcore.ErrUserInactive
	}
	if _, found := s.sessions.get(session.ID); found {
		return authcore.ErrTaken
	}
	s.addSession(session)
	return nil
}

// SessionsOf returns the user's live sessions, newest first. See
// authcore.Sessions.
func (s *Store) SessionsOf(ctx context.Context, userID string, now time.Time) ([]authcore.Session, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return s.liveSessions(userID, now), nil
}

// RenewSession replaces a session's token. See authcore.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, id, old, new string, expires, now time.Time,
) (authcore.Session, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.Session{}, err
	}
	defer unlock()
	session, found := s.sessions.get(id)
	if !found || !now.Before(session.Expires) || session.TokenID != old {
		return authcore.Session{}, authcore.ErrNotFound
	}
	if !s.active(session.UserID) {
		return authcore.Session{}, authcore.ErrUserInactive
	}
	s.revoke(authcore.RevokeToken, old, session.Expires)
	session.TokenID, session.Expires = new, wall(expires)
	s.sessions.put(id, session)
	return session, nil
}

// EndSessions ends the user's live sessions for which the predicate holds. See
// authcore.Sessions.
func (s *Store) EndSessions(
	ctx context.Context, userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return s.endSessions(userID, which, now), nil
}

// MarkSeen moves LastSeen of sessions forward. See authcore.Sessions.
func (s *Store) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for id, at := range seen {
		if session, found := s.sessions.get(id); found && at.After(session.LastSeen) {
			session.LastSeen = wall(at)
			s.sessions.put(id, session)
		}
	}
	return nil
}

func (s *Store) active(userID string) bool {
	user, found := s.users.get(userID)
	return found && !user.Disabled
}

func (s *Store) liveSessions(userID string, now time.Time) []authcore.Session {
	var live []authcore.Session
	for id := range s.sessionsOfUser[userID] {
		if session, found := s.sessions.get(id); found && now.Before(session.Expires) {
			live = append(live, session)
		}
	}
	slices.SortFunc(live, func(a, b authcore.Session) int { return b.Created.Compare(a.Created) })
	return live
}

func (s *Store) endSessions(
	userID string, which func(authcore.Session) bool, now time.Time,
) []authcore.Session {
	ended := slices.DeleteFunc(s.liveSessions(userID, now), func(session authcore.Session) bool {
		return !which(session)
	})
	for _, session := range ended {
		s.removeSession(session)
		s.revoke(authcore.RevokeSession, session.ID, session.Expires)
	}
	return ended
}

func (s *Store) addSession(session authcore.Session) {
	session.Created, session.Expires = wall(session.Created), wall(session.Expires)
	session.LastSeen = wall(session.LastSeen)
	s.sessions.put(session.ID, session)
	s.sessionsOfUser.add(session.UserID, session.ID)
}

func (s *Store) removeSession(session authcore.Session) {
	s.sessions.remove(session.ID)
	s.sessionsOfUser.remove(session.UserID, session.ID)
}

// dropSessions forgets every session of a user, expired ones too.
func (s *Store) dropSessions(userID string) {
	for id := range s.sessionsOfUser[userID] {
		s.sessions.remove(id)
	}
	delete(s.sessionsOfUser, userID)
}
