package postgres

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// maxSeenBatch is how many sessions are marked as seen in one statement.
	maxSeenBatch = 1000

	sessionColumns = `s.id, s.user_id, s.token_id, s.client, s.method, s.created, s.expires, s.last_seen, s.ip, s.user_agent`

	// lockUser keeps sessions and identities from being added to a user, and the
	// user from being changed.
	lockUser = `SELECT FROM @.users WHERE realm = $1 AND id = $2 FOR UPDATE`
	// lockSessions locks the sessions of a user in the order in which MarkSeen
	// does.
	lockSessions = `SELECT FROM @.sessions WHERE realm = $1 AND user_id = $2 ORDER BY id FOR UPDATE`
)

func (s *Store) sessionArguments(session authcore.Session) []any {
	return []any{
		s.realm, session.ID, session.UserID, session.TokenID, tidy(session.Client), tidy(session.Method),
		stamp(session.Created), stamp(session.Expires), stamp(session.LastSeen), tidy(session.IP), tidy(session.UserAgent),
	}
}

func scanSession(row pgx.CollectableRow) (authcore.Session, error) {
	var s authcore.Session
	err := row.Scan(sessionFields(&s)...)
	return s, err
}

// sessionFields are where the sessionColumns go.
func sessionFields(s *authcore.Session) []any {
	return []any{
		&s.ID, &s.UserID, &s.TokenID, &s.Client, &s.Method, &s.Created, &s.Expires, &s.LastSeen, &s.IP, &s.UserAgent,
	}
}

// PutSession stores a new session of an active user. See authcore.Sessions. The
// lock on the user makes it wait for a call that disables the user, and such a call
// for it.
func (s *Store) PutSession(ctx context.Context, session authcore.Session) error {
	if !storable(session.UserID) {
		return authcore.ErrUserInactive
	}
	if !storable(session.ID) || !storable(session.TokenID) {
		return unkeepable("the id of a session or token")
	}
	stored, err := s.exec(ctx, putSession, s.sessionArguments(session)...)
	if err == nil && stored == 0 {
		err = authcore.ErrUserInactive
	}
	return err
}

const putSession = `
	WITH active AS (
		SELECT id FROM @.users WHERE realm = $1 AND id = $3 AND NOT disabled FOR SHARE
	)
	INSERT INTO @.sessions (realm, id, user_id, token_id, client, method, created, expires, last_seen, ip, user_agent)
	SELECT $1, $2, id, $4, $5, $6, $7, $8, $9, $10, $11 FROM active`

// SessionsOf returns the user's live sessions, newest first. See
// authcore.Sessions.
func (s *Store) SessionsOf(ctx context.Context, userID string, now time.Time) ([]authcore.Session, error) {
	if !storable(userID) {
		userID = ""
	}
	return all(ctx, s, scanSession, liveSessions, s.realm, userID, stamp(now))
}

const liveSessions = `
	SELECT ` + sessionColumns + ` FROM @.sessions s
	WHERE s.realm = $1 AND s.user_id = $2 AND s.expires > $3 ORDER BY s.created DESC, s.id`

// RenewSession replaces a session's token. See authcore.Sessions.
func (s *Store) RenewSession(
	ctx context.Context, id, old, new string, expires, now time.Time,
) (authcore.Session, error) {
	if !storable(id) || !storable(old) {
		return authcore.Session{}, authcore.ErrNotFound
	}
	if !storable(new) {
		return authcore.Session{}, unkeepable("the id of a token")
	}
	type renewal struct {
		session authcore.Session
		active  bool
	}
	result, err := one(ctx, s, func(row pgx.CollectableRow) (renewal, error) {
		var r renewal
		err := row.Scan(append(sessionFields(&r.session), &r.active)...)
		return r, err
	}, `
		WITH former AS (
			SELECT s.*, NOT u.disabled AS active
			FROM @.sessions s JOIN @.users u ON u.realm = s.realm AND u.id = s.user_id
			WHERE s.realm = $1 AND s.id = $3 AND s.token_id = $4 AND s.expires > $7
			FOR NO KEY UPDATE OF s
		), renewed AS (
			UPDATE @.sessions s SET token_id = $5, expires = $6
			FROM former WHERE s.realm = $1 AND s.id = former.id AND former.active
		), revoked AS (
			SELECT 'token' AS kind, token_id AS id, expires AS until FROM former WHERE active
		), `+feed+`, told AS (`+revokeIn+`)
		SELECT s.id, s.user_id, $5, s.client, s.method, s.created, $6::timestamptz, s.last_seen, s.ip, s.user_agent, s.active
		FROM former s`,
		s.realm, s.channel(), id, old, new, stamp(expires), stamp(now))
	switch {
	case err != nil:
		return authcore.Session{}, err
	case !result.active:
		return authcore.Session{}, authcore.ErrUserInactive
	}
	return result.session, nil
}

// EndSessions ends the user's live sessions for which the predicate holds. See
// authcore.Sessions. While the predicate is asked the user is locked, so that no
// session comes in between.
func (s *Store) EndSessions(
	ctx context.Context, userID string, which func(authcore.Session) bool, now time.Time,
) ([]authcore.Session, error) {
	if !storable(userID) {
		return nil, nil
	}
	var live, ended []authcore.Session
	err := s.transact(ctx, func(b *batch) error {
		b.queue(lockUser, s.realm, userID)
		b.queue(lockSessions, s.realm, userID)
		b.queue(liveSessions, s.realm, userID, stamp(now)).Query(func(rows pgx.Rows) (err error) {
			live, err = pgx.CollectRows(rows, scanSession)
			return err
		})
		return nil
	}, func(b *batch) error {
		ended = slices.DeleteFunc(live, func(session authcore.Session) bool { return !which(session) })
		if len(ended) == 0 {
			return errNothing
		}
		b.queue(`
			WITH ended AS (
				DELETE FROM @.sessions WHERE realm = $1 AND id = ANY($3::text[]) RETURNING id, expires
			), revoked AS (
				SELECT 'session' AS kind, id, expires AS until FROM ended
			)`+revoke, s.realm, s.channel(), sessionIDs(ended))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

func sessionIDs(sessions []authcore.Session) []string {
	ids := make([]string, len(sessions))
	for i, session := range sessions {
		ids[i] = session.ID
	}
	return ids
}

// MarkSeen moves LastSeen of sessions forward. See authcore.Sessions. It is one
// statement for each maxSeenBatch sessions; doing a part is no harm.
func (s *Store) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(seen)), func(id string) bool { return !storable(id) })
	for batch := range slices.Chunk(ids, maxSeenBatch) {
		times := make([]time.Time, len(batch))
		for i, id := range batch {
			times[i] = stamp(seen[id])
		}
		_, err := s.exec(ctx, `
			WITH locked AS (
				SELECT s.id, v.at FROM unnest($2::text[], $3::timestamptz[]) AS v (id, at)
				JOIN @.sessions s ON s.realm = $1 AND s.id = v.id AND s.last_seen < v.at
				ORDER BY s.id FOR NO KEY UPDATE OF s
			)
			UPDATE @.sessions s SET last_seen = locked.at FROM locked
			WHERE s.realm = $1 AND s.id = locked.id AND s.last_seen < locked.at`, s.realm, batch, times)
		if err != nil {
			return err
		}
	}
	return nil
}
