package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// revocationPage limits the entries of one call, except that the entries of one
// transaction are not separated.
const revocationPage = 5000

// appendFeed stores entries in place of earlier ones of their kind and ID. Arguments
// are arrays: kinds, IDs, times, documents.
const appendFeed = `INSERT INTO @.feed AS f (realm, kind, id, forget, doc)
	SELECT $1, v.* FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[]) AS v
	ON CONFLICT (id, kind, realm) DO `

const replaceEntry = `UPDATE SET
	xid = EXCLUDED.xid, made = EXCLUDED.made, forget = greatest(f.forget, EXCLUDED.forget), doc = EXCLUDED.doc`

// queueRevocations appends entries to the feed and a notification after the commit.
func (s *Store) queueRevocations(t *tx, entries []authcore.Revocation) error {
	if len(entries) == 0 {
		return nil
	}
	arguments, err := s.feedArguments(entries)
	if err != nil {
		return err
	}
	t.queue(appendFeed+replaceEntry, arguments...)
	t.notify = s.realm
	return nil
}

// feedArguments returns the arguments of appendFeed. Of several entries of one kind
// and ID it keeps the last one. The order is the same in every step, so that steps do
// not wait in a circle.
func (s *Store) feedArguments(entries []authcore.Revocation) ([]any, error) {
	entries = slices.Clone(entries)
	slices.Reverse(entries)
	slices.SortStableFunc(entries, compareEntries)
	entries = slices.CompactFunc(entries, func(a, b authcore.Revocation) bool { return compareEntries(a, b) == 0 })
	var kinds, ids, docs []string
	var forget []time.Time
	for _, entry := range entries {
		doc, _, err := encode(entry, string(entry.Kind), entry.ID)
		if err != nil {
			return nil, err
		}
		until := stamp(entry.Until)
		if entry.Until.IsZero() {
			until = time.Unix(0, 0) // lifted: as long as the entry that it replaces
		}
		kinds, ids = append(kinds, string(entry.Kind)), append(ids, entry.ID)
		docs, forget = append(docs, doc), append(forget, until)
	}
	return []any{s.realm, kinds, ids, forget, docs}, nil
}

func compareEntries(a, b authcore.Revocation) int {
	return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.ID, b.ID))
}

// feedCursor states what a reader of the feed has seen: the transactions in Base, a
// snapshot, and, while it reads the pages of a later snapshot Seen, also those of it
// up to the transaction Last. Snapshots are texts of pg_snapshot.
type feedCursor struct {
	Nonce, Base, Seen string
	Last              int64
}

// nothingSeen is the snapshot at the beginning.
const nothingSeen = "1:1:"

func (c feedCursor) String() string {
	return strings.Join([]string{c.Nonce, c.Base, c.Seen, strconv.FormatInt(c.Last, 10)}, "/")
}

var cursorForm = regexp.MustCompile(`^[0-9A-Z]+/[0-9]{1,18}:[0-9]{1,18}:[0-9,]*/([0-9]{1,18}:[0-9]{1,18}:[0-9,]*)?/[0-9]{1,18}$`)

// parseFeedCursor returns the beginning for a text that is not a cursor.
func parseFeedCursor(text string) feedCursor {
	if !cursorForm.MatchString(text) {
		return feedCursor{Base: nothingSeen}
	}
	fields := strings.Split(text, "/")
	last, _ := strconv.ParseInt(fields[3], 10, 64) // digits, see above
	return feedCursor{Nonce: fields[0], Base: fields[1], Seen: fields[2], Last: last}
}

// feedRow is the state of the feed with one of its entries, or with none.
type feedRow struct {
	Nonce, Base, Seen string
	Xid, Age          *int64 // age in microseconds
	Doc               []byte
}

// readFeed reads a page of the entries that a cursor has not seen. If the nonce is not
// the current one, or if this server cannot have issued the snapshots, it begins anew.
const readFeed = `
	WITH state AS (
		SELECT nonce, pg_current_snapshot() AS now, nonce = $2
			AND pg_snapshot_xmax($3::text::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
			AND pg_snapshot_xmax($4::text::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) AS known
		FROM @.feed_epoch WHERE started = pg_postmaster_start_time()
	), cursor AS (
		SELECT nonce, CASE WHEN known THEN $3::text::pg_snapshot ELSE '1:1:' END AS base,
			CASE WHEN known AND $5::bigint > 0 THEN $4::text::pg_snapshot ELSE now END AS seen,
			CASE WHEN known THEN $5::bigint ELSE 0 END AS last FROM state
	)
	SELECT nonce, base::text, seen::text, entry.xid::text::bigint,
		(extract(epoch FROM clock_timestamp() - entry.made) * 1000000)::bigint, entry.doc
	FROM cursor LEFT JOIN LATERAL (
		SELECT xid, made, doc FROM @.feed
		WHERE realm = $1 AND xid >= pg_snapshot_xmin(base) AND xid > last::text::xid8
			AND NOT pg_visible_in_snapshot(xid, base) AND pg_visible_in_snapshot(xid, seen)
		ORDER BY xid FETCH FIRST ($6::bigint) ROWS WITH TIES
	) AS entry ON true
	ORDER BY entry.xid`

// RevocationsSince returns revocations added after the cursor. See
// authcore.Revocations.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	return s.revocationsSince(ctx, parseFeedCursor(cursor), revocationPage)
}

func (s *Store) revocationsSince(ctx context.Context, c feedCursor, page int) ([]authcore.Revocation, string, error) {
	for range 3 {
		rows, err := query(ctx, s, s.db.feed, pgx.RowToStructByPos[feedRow], readFeed,
			s.realm, c.Nonce, c.Base, cmp.Or(c.Seen, nothingSeen), c.Last, page)
		switch {
		case len(rows) > 0:
			return feedPage(rows, page)
		case err == nil:
			err = s.newEpoch(ctx)
		case sqlState(err) == invalidText: // not a snapshot
			c, err = parseFeedCursor(""), nil
		}
		if err != nil {
			return nil, "", err
		}
	}
	return nil, "", unavailable(errors.New("the server restarts"))
}

func feedPage(rows []feedRow, page int) (entries []authcore.Revocation, cursor string, err error) {
	for _, row := range rows {
		if row.Xid == nil {
			break // there is no entry
		}
		if entry, err := decode[authcore.Revocation](row.Doc); err == nil {
			entry.Age = time.Duration(max(0, *row.Age)) * time.Microsecond
			entries = append(entries, entry)
		}
	}
	last := rows[len(rows)-1]
	next := feedCursor{Nonce: last.Nonce, Base: last.Seen}
	if len(rows) >= page {
		next = feedCursor{Nonce: last.Nonce, Base: last.Base, Seen: last.Seen, Last: *last.Xid}
	}
	return entries, next.String(), nil
}

// newEpoch invalidates the cursors of another start of the server. Entries of a
// restored dump may have numbers that the server has not reached yet; they get a
// current one.
func (s *Store) newEpoch(ctx context.Context) error {
	return s.run(ctx, s.db.feed, func(ctx context.Context, t *tx) error {
		t.queue(`
			WITH restored AS (
				UPDATE @.feed SET xid = pg_current_xact_id() WHERE NOT pg_visible_in_snapshot(xid, pg_current_snapshot())
			)
			INSERT INTO @.feed_epoch AS e (started, nonce) VALUES (pg_postmaster_start_time(), $1)
			ON CONFLICT (single) DO UPDATE SET started = EXCLUDED.started, nonce = EXCLUDED.nonce
			WHERE e.started <> EXCLUDED.started`, rand.Text())
		return t.commit(ctx)
	})
}

// DeleteUser deletes a user and all that it owns. See authcore.Accounts. Documents
// are not decoded, so that damaged ones are deleted too.
func (s *Store) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) error {
	if !storable(userID) {
		return authcore.ErrNotFound
	}
	return s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		var users int64
		t.queue(`SELECT FROM @.users WHERE realm = $1 AND id = $2 FOR UPDATE`, s.realm, userID).Exec(count(&users))
		if err := t.begin(ctx); err != nil {
			return err
		}
		if users == 0 {
			return final{authcore.ErrNotFound}
		}
		for _, statement := range []string{
			`DELETE FROM @.sessions WHERE realm = $1 AND user_id = $2`,
			`DELETE FROM @.identities WHERE realm = $1 AND user_id = $2`,
			`DELETE FROM @.records WHERE realm = $1 AND owner = $2`,
			`DELETE FROM @.users WHERE realm = $1 AND id = $2`,
		} {
			t.queue(statement, s.realm, userID)
		}
		if err := s.queueRevocations(t, []authcore.Revocation{revocation}); err != nil {
			return err
		}
		return t.commit(ctx)
	})
}
