package postgres

import (
	"context"
	"time"
)

// sweepSteps is how many rows of a table Sweep removes in one statement, so that
// nobody waits long for their locks.
const sweepSteps = 1000

// sweeps are the statements that remove some of what expired. Rows that another
// call holds are left for the next time. The condition stands twice: a row may be
// prolonged before it is locked.
var sweeps = []string{
	sweep("links", "email_key", "expires"),
	sweep("flows", "state", "expires"),
	sweep("sessions", "id", "expires"),
	sweep("revocations", "kind, id", "forget"),
	sweep("counters", "limit_name, party, window_ns", "reset"),
}

func sweep(table, key, expires string) string {
	return `DELETE FROM @.` + table + ` WHERE realm = $1 AND ` + expires + ` < $2 AND (` + key + `) IN (
		SELECT ` + key + ` FROM @.` + table + ` WHERE realm = $1 AND ` + expires + ` < $2
		ORDER BY ` + expires + ` LIMIT $3 FOR UPDATE SKIP LOCKED)`
}

// Sweep forgets what had expired before now. See authcore.Store. It costs what
// there is to forget, not what is kept.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	for _, statement := range sweeps {
		for {
			removed, err := s.exec(ctx, statement, s.realm, stamp(now), sweepSteps)
			if err != nil {
				return err
			}
			if removed < sweepSteps {
				break
			}
		}
	}
	return nil
}
