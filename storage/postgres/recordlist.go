package postgres

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// Statements that list records, newest first: those created from $3 to $4, before the
// record ($4, $5). $6 is the node's time, $8 the owner. The expression in listOfKind is
// that of the index records_by_kind, which no other statement shall use.
const (
	listColumns = `SELECT created, key, CASE WHEN expires IS NULL OR expires > $6 THEN doc END FROM @.records WHERE realm = $1 AND `
	listPart    = ` AND created >= $3 AND (created, key) < ($4, $5) ORDER BY created DESC, key DESC LIMIT $7`
	listOfKind  = listColumns + `kind || '' = $2` + listPart
	listOfOwner = listColumns + `kind = $2 AND owner = $8` + listPart
)

type listedRecord struct {
	Created time.Time
	Key     string
	Doc     []byte
}

// endOfTime is later than any time that has a JSON form.
func endOfTime() time.Time { return time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }

// lastKey is greater than any key of a record.
const lastKey = "\x7f"

// ListRecords lists records. See authcore.Records. The cursor is the time in
// microseconds and the key of the last record that was examined.
func (s *Store) ListRecords(
	ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string,
) ([]authcore.Record, string, error) {
	if !storable(filter.Kind) || !storable(filter.Owner) || !storable(cursor) {
		return nil, "", nil
	}
	limit := filter.PageSize()
	before, key := endOfTime(), lastKey
	if !filter.To.IsZero() {
		before = stamp(filter.To) // records of this microsecond may be older
	}
	if at, after, valid := parseRecordCursor(cursor); valid {
		before, key = at, after
	}
	statement, arguments := listOfKind, []any{s.realm, filter.Kind, stamp(filter.From), before, key, stamp(now), limit}
	if filter.Owner != "" {
		statement, arguments = listOfOwner, append(arguments, filter.Owner)
	}
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[listedRecord], statement, arguments...)
	if err != nil {
		return nil, "", err
	}
	var records []authcore.Record
	for _, row := range rows {
		if row.Doc == nil {
			continue
		}
		if record, err := decode[authcore.Record](row.Doc); err == nil && filter.Matches(record) {
			records = append(records, record)
		}
	}
	slices.SortFunc(records, func(a, b authcore.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Key, b.Key))
	})
	if len(rows) < limit {
		return records, "", nil
	}
	last := rows[len(rows)-1]
	return records, strconv.FormatInt(last.Created.UnixMicro(), 10) + " " + last.Key, nil
}

// parseRecordCursor returns the position of the last record of a page.
func parseRecordCursor(cursor string) (created time.Time, key string, valid bool) {
	micros, key, found := strings.Cut(cursor, " ")
	number, err := strconv.ParseInt(micros, 10, 64)
	created = time.UnixMicro(number)
	return created, key, found && err == nil && created.Year() > 0 && created.Before(endOfTime())
}
