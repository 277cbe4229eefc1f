package postgres

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// MarkSeen moves the last activity of sessions forward. See authcore.Accounts. It
// writes a column of its own, so that it does not wait for locked users. Rows are
// locked in order, so that calls do not wait in a circle.
func (s *Store) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	var users, ids []string
	var times []time.Time
	for ref, at := range seen {
		if storable(ref.UserID) && storable(ref.ID) {
			users, ids, times = append(users, ref.UserID), append(ids, ref.ID), append(times, stamp(at))
		}
	}
	_, err := s.exec(ctx, `
		WITH marks AS (
			SELECT s.user_id, s.id, v.at FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS v (user_id, id, at)
			JOIN @.sessions s ON s.user_id = v.user_id AND s.realm = $1 AND s.id = v.id
			ORDER BY s.user_id, s.id FOR NO KEY UPDATE OF s
		)
		UPDATE @.sessions s SET seen = marks.at FROM marks
		WHERE s.realm = $1 AND s.user_id = marks.user_id AND s.id = marks.id AND (s.seen IS NULL OR s.seen < marks.at)`,
		s.realm, users, ids, times)
	return err
}
