package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// SetDisabled disables or enables a user. See authcore.UserAdmin. The sessions
// that end by it are revoked one by one as well: enabling lifts the revocation
// of the user, and the tokens of ended sessions must not come back with it.
//
// The first statement locks the user, so that the next ones see every session that
// was put before; PutSession waits and then finds the user disabled.
func (s *Store) SetDisabled(
	ctx context.Context, id string, disabled bool, until, now time.Time,
) (authcore.User, error) {
	if !storable(id) {
		return authcore.User{}, authcore.ErrNotFound
	}
	var user authcore.User
	err := s.transact(ctx, func(b *batch) error {
		b.queue(`UPDATE @.users u SET disabled = $3 WHERE u.realm = $1 AND u.id = $2 RETURNING `+userColumns,
			s.realm, id, disabled).
			QueryRow(func(row pgx.Row) error { return row.Scan(userFields(&user)...) })
		if disabled {
			s.queueEndOfUser(b, id, until, now)
		} else {
			b.queue(`WITH revoked AS (
				SELECT 'user' AS kind, u.id, NULL::timestamptz AS until
				FROM @.users u WHERE u.realm = $1 AND u.id = $3
			)`+revoke, s.realm, s.channel(), id)
		}
		return nil
	})
	if err != nil {
		return authcore.User{}, err
	}
	return user, nil
}

// DeleteUser removes a user and what belongs to it. See authcore.UserAdmin.
func (s *Store) DeleteUser(ctx context.Context, id string, until, now time.Time) error {
	if !storable(id) {
		return authcore.ErrNotFound
	}
	var known string
	return s.transact(ctx, func(b *batch) error {
		b.queue(lockUser, s.realm, id)
		s.queueEndOfUser(b, id, until, now)
		b.queue(`DELETE FROM @.users WHERE realm = $1 AND id = $2 RETURNING id`, s.realm, id).
			QueryRow(func(row pgx.Row) error { return row.Scan(&known) })
		return nil
	})
}

// queueEndOfUser ends all sessions of a user who is locked already, and revokes
// them and the user. Without such a user it does nothing.
func (s *Store) queueEndOfUser(b *batch, id string, until, now time.Time) {
	b.queue(lockSessions, s.realm, id)
	b.queue(`
		WITH ended AS (
			DELETE FROM @.sessions WHERE realm = $1 AND user_id = $3 RETURNING id, expires
		), revoked AS (
			SELECT 'session' AS kind, id, expires AS until FROM ended WHERE expires > $5
			UNION ALL
			SELECT 'user', u.id, $4::timestamptz FROM @.users u WHERE u.realm = $1 AND u.id = $3
		)`+revoke, s.realm, s.channel(), id, stamp(until), stamp(now))
}
