package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// MarkSeen moves the last activity of sessions forward. See authcore.Accounts. It
// writes a column of its own, so that it does not wait for locked users. Rows are
// locked in order, so that calls do not wait in a circle.
func (s *Store) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	refs := slices.SortedFunc(maps.Keys(seen), func(a, b authcore.SessionRef) int {
		return cmp.Or(strings.Compare(a.UserID, b.UserID), strings.Compare(a.ID, b.ID))
	})
	return s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		for _, ref := range refs {
			t.queue(`UPDATE @.sessions SET seen = $4 WHERE user_id = $2 AND realm = $1 AND id = $3 AND (seen IS NULL OR seen < $4)`,
				s.realm, storableOrEmpty(ref.UserID), storableOrEmpty(ref.ID), stamp(seen[ref]))
		}
		return t.commit(ctx)
	})
}
