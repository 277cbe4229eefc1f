package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// sweepPage limits the rows of one step of Sweep, so that no lock is held for long.
const sweepPage = 1000

// unlocked returns a statement that deletes those of the selected rows that no other
// step has locked.
func unlocked(table, selection string) string {
	return `DELETE FROM @.` + table + ` WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM @.` + table + ` WHERE realm = $1 AND ` + selection + ` FOR UPDATE SKIP LOCKED))`
}

// sweptTable describes a table of items that expire.
type sweptTable struct {
	name, column string
	isDamaged    func(doc []byte) bool
}

func sweptTables() []sweptTable {
	return []sweptTable{
		{"identities", "expires", isDamaged[authcore.Identity]},
		{"sessions", "expires", isDamaged[authcore.Session]},
		{"records", "expires", isDamaged[authcore.Record]},
		{"feed", "forget", isDamaged[authcore.Revocation]},
	}
}

func isDamaged[T any](doc []byte) bool {
	_, err := decode[T](doc)
	return err != nil
}

// Sweep deletes what expired by the clock of the node and by that of the server.
// See authcore.Store. It deletes counters as well, which it does not report.
func (s *Store) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	var total authcore.Swept
	for _, table := range sweptTables() {
		if err := s.sweepTable(ctx, table, now, &total); err != nil {
			return total, err
		}
	}
	ended := unlocked("counters", `reset < statement_timestamp() ORDER BY reset LIMIT $2`)
	for removed := int64(sweepPage); removed == sweepPage; {
		var err error
		if removed, err = s.exec(ctx, ended, s.realm, sweepPage); err != nil {
			return total, err
		}
	}
	limits, err := query(ctx, s, s.db.pool, pgx.RowTo[string], `SELECT DISTINCT limit_name FROM @.counters WHERE realm = $1`, s.realm)
	for _, limit := range limits {
		if err == nil {
			err = s.evict(ctx, limit)
		}
	}
	return total, err
}

// expiredRow is a row that may be deleted, with its place in the table.
type expiredRow struct {
	Place string
	Doc   []byte
}

// sweepTable deletes rows in pages. Pages begin after rows that stayed because they
// are damaged or locked. The second statement checks the time again, because a row
// may have been prolonged.
func (s *Store) sweepTable(ctx context.Context, table sweptTable, now time.Time, total *authcore.Swept) error {
	expired := table.column + ` < least($2, statement_timestamp())`
	for stayed := 0; ; {
		rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[expiredRow], `SELECT ctid::text, doc FROM @.`+table.name+
			` WHERE realm = $1 AND `+expired+` ORDER BY `+table.column+`, ctid OFFSET $3 LIMIT $4`, s.realm, stamp(now), stayed, sweepPage)
		if err != nil {
			return err
		}
		var places []string
		for _, row := range rows {
			if !table.isDamaged(row.Doc) {
				places = append(places, row.Place)
			}
		}
		removed, err := s.exec(ctx, unlocked(table.name, expired+` AND ctid = ANY ($3::text[]::tid[])`), s.realm, stamp(now), places)
		total.Removed, total.Damaged = total.Removed+int(removed), total.Damaged+len(rows)-len(places)
		if stayed += len(rows) - int(removed); err != nil || len(rows) < sweepPage {
			return err
		}
	}
}
