package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// sweepPage limits the rows of one step of Sweep, so that no lock is held for long.
const sweepPage = 1000

// swept describes a table of items that expire.
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
// See authcore.Store. Counters whose window has ended are deleted and not reported.
func (s *Store) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	var total authcore.Swept
	for _, table := range sweptTables() {
		if err := s.sweepTable(ctx, table, now, &total); err != nil {
			return total, err
		}
	}
	for {
		removed, err := s.exec(ctx, `DELETE FROM @.counters WHERE ctid = ANY (ARRAY(SELECT ctid FROM @.counters
			WHERE realm = $1 AND reset < statement_timestamp() ORDER BY reset LIMIT $2 FOR UPDATE SKIP LOCKED))`, s.realm, sweepPage)
		if err != nil || removed < sweepPage {
			return total, err
		}
	}
}

// expiredRow is a row that may be deleted, with its place in the table.
type expiredRow struct {
	Place string
	Doc   []byte
}

// sweepTable deletes rows in pages. Damaged rows stay, and pages begin after them.
// The second statement checks again: a row may have been prolonged.
func (s *Store) sweepTable(ctx context.Context, table sweptTable, now time.Time, total *authcore.Swept) error {
	expired := ` FROM @.` + table.name + ` WHERE realm = $1 AND ` + table.column + ` < least($2, statement_timestamp())`
	for damaged := 0; ; {
		rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[expiredRow],
			`SELECT ctid::text, doc`+expired+` ORDER BY `+table.column+`, ctid OFFSET $3 LIMIT $4`, s.realm, stamp(now), damaged, sweepPage)
		if err != nil {
			return err
		}
		var places []string
		for _, row := range rows {
			if table.isDamaged(row.Doc) {
				damaged++
			} else {
				places = append(places, row.Place)
			}
		}
		removed, err := s.exec(ctx, `DELETE`+expired+` AND ctid = ANY ($3::text[]::tid[])`, s.realm, stamp(now), places)
		total.Removed, total.Damaged = total.Removed+int(removed), total.Damaged+len(rows)-len(places)
		if err != nil || len(rows) < sweepPage {
			return err
		}
	}
}
