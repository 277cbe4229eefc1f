package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// revocationPage is about how many entries are read at once: a node that starts
// reads all of them, and must not need the memory for all of them twice.
const revocationPage = 5000

// revoke ends a statement of which "revoked" gives kind, id and until: it puts
// these at the end of the feed, in place of earlier entries of their kind and id,
// and tells who listens. The parameters $1 and $2 are realm and channel. A time
// that is NULL lifts.
//
// revokeIn is the same within a statement that goes on.
//
// The row of the feed stays locked until the commit, so that the numbers of entries
// become visible in their order and a cursor that has seen one has seen all before
// it. Nothing else is locked after it.
const (
	revoke = `, ` + feed + revokeIn
	feed   = `feed AS (
		UPDATE @.feeds SET last = last + 1
		WHERE realm = $1 AND EXISTS (SELECT FROM revoked)
		RETURNING last, pg_notify($2::text, $1::text)::text AS notified
	)`
	revokeIn = `
	INSERT INTO @.revocations AS r (realm, kind, id, number, until, forget)
	SELECT $1, revoked.kind, revoked.id, feed.last, revoked.until, coalesce(revoked.until, '-infinity')
	FROM revoked, feed
	ON CONFLICT (realm, kind, id) DO UPDATE SET
		number = EXCLUDED.number, until = EXCLUDED.until, forget = greatest(r.forget, EXCLUDED.forget), made = EXCLUDED.made`
)

// channel is the name of the notifications of the schema; their payload is the
// realm.
func (s *Store) channel() string { return s.db.tables.schema }

// RevocationsSince returns what was revoked after the cursor. See
// authcore.Revocations.
//
// The cursor is the number of the last entry its holder has seen, and the time at
// which the server was started that gave it out. Another server, or the same one
// restored from a backup, may lack what was seen and have new entries under its
// numbers. Who comes with the cursor of another start, or with one that was never
// given out, may have missed something and gets everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	begun, seen := parseCursor(cursor)
	const statement = `
		WITH state AS (
			SELECT begun, last, CASE WHEN begun = $2::bigint AND last >= $3::bigint THEN $3::bigint ELSE 0 END AS seen
			FROM @.feeds, (SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS begun) AS server
			WHERE realm = $1
		)
		SELECT state.begun, state.last, entry.number, entry.kind, entry.id, entry.until,
			(extract(epoch FROM clock_timestamp() - entry.made) * 1000000)::bigint AS age
		FROM state LEFT JOIN LATERAL (
			SELECT number, kind, id, until, made FROM @.revocations
			WHERE realm = $1 AND number > state.seen
			ORDER BY number FETCH FIRST ($4::bigint) ROWS WITH TIES
		) AS entry ON true
		ORDER BY entry.number`
	rows, err := all(ctx, s, pgx.RowToStructByPos[feedRow], statement, s.realm, begun, seen, revocationPage)
	if err != nil {
		return nil, "", err
	}
	if len(rows) == 0 {
		return nil, "", unavailable(errors.New("the realm has no feed of revocations"))
	}
	entries := make([]authcore.Revocation, 0, len(rows))
	for _, row := range rows {
		if row.Number != nil {
			entries = append(entries, authcore.Revocation{
				Kind: gate.RevocationKind(*row.Kind), ID: *row.ID, Until: timeOrZero(row.Until),
				Age: time.Duration(max(0, *row.Age)) * time.Microsecond,
			})
		}
	}
	next := rows[len(rows)-1]
	number := next.Last
	if len(entries) >= revocationPage {
		number = *next.Number
	}
	return entries, fmt.Sprintf("%d-%d", next.Begun, number), nil
}

// feedRow is the state of the feed with one of its entries, or with none.
type feedRow struct {
	Begun, Last int64
	Number      *int64
	Kind, ID    *string
	Until       *time.Time
	Age         *int64 // in microseconds
}

// parseCursor returns zeros, of which no server was ever started, for what is no
// cursor.
func parseCursor(cursor string) (begun, seen int64) {
	left, right, _ := strings.Cut(cursor, "-")
	begun, err := strconv.ParseInt(left, 10, 64)
	if err != nil {
		return 0, 0
	}
	seen, err = strconv.ParseInt(right, 10, 64)
	if err != nil || seen < 0 {
		return 0, 0
	}
	return begun, seen
}
