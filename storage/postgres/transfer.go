package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

const (
	// exportUsers is how many users are exported at once, with all that is theirs.
	exportUsers = 200
	// exportRevocations is how many revocations are exported at once.
	exportRevocations = 1000
)

// position is where an export goes on: after a user, then after a revocation, then
// at the keys.
type position struct {
	Part string   `json:"part,omitempty"`
	Key  []string `json:"key,omitempty"`
}

// The parts of an export in their order.
const (
	partUsers       = ""
	partRevocations = "revocations"
	partKeys        = "keys"
	partEnd         = "end"
)

// Export returns some of the records after the cursor. See authcore.Transfer. A
// user is exported together with identities and sessions, as they were at one
// moment, so that none of them comes without its user.
func (s *Store) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	var at position
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		at = position{} // the beginning, or no cursor of ours
	}
	for {
		var records []authcore.Record
		var err error
		switch at.Part {
		case partUsers:
			records, at, err = s.exportUsers(ctx, at, now)
		case partRevocations:
			records, at, err = s.exportRevocations(ctx, at, now)
		case partKeys:
			records, at, err = s.exportKeys(ctx, now)
		default:
			at = position{Part: partEnd}
		}
		if err != nil {
			return nil, "", err
		}
		if len(records) > 0 || at.Part == partEnd {
			next, err := json.Marshal(at)
			return records, string(next), err
		}
	}
}

func (s *Store) exportUsers(ctx context.Context, at position, now time.Time) ([]authcore.Record, position, error) {
	after, last := "", ""
	if len(at.Key) > 0 {
		after = at.Key[0]
	}
	var records []authcore.Record
	var users int
	err := s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		records, users = nil, 0
		defer rollback(ctx, conn)
		b := &batch{tables: s.db.tables}
		b.Queue(`BEGIN READ ONLY, ISOLATION LEVEL REPEATABLE READ`)
		const page = `WITH page AS (SELECT * FROM @.users WHERE realm = $1 AND id > $2 ORDER BY id LIMIT $3) `
		b.queue(page+`SELECT `+userColumns+` FROM page u ORDER BY u.id`, s.realm, after, exportUsers).
			Query(collect(scanUser, func(u authcore.User) {
				users, last = users+1, u.ID
				records = append(records, authcore.Record{User: &u})
			}))
		b.queue(page+`SELECT `+identityColumns+` FROM @.identities i JOIN page ON page.id = i.user_id WHERE i.realm = $1
			ORDER BY i.user_id, i.created, i.provider, i.issuer, i.subject`, s.realm, after, exportUsers).
			Query(collect(scanIdentity, func(i authcore.Identity) {
				records = append(records, authcore.Record{Identity: &i})
			}))
		b.queue(page+`SELECT `+sessionColumns+` FROM @.sessions s JOIN page ON page.id = s.user_id
			WHERE s.realm = $1 AND s.expires > $4 ORDER BY s.user_id, s.created, s.id`, s.realm, after, exportUsers, stamp(now)).
			Query(collect(scanSession, func(s authcore.Session) {
				records = append(records, authcore.Record{Session: &s})
			}))
		b.Queue(`COMMIT`)
		return b.send(ctx, conn)
	})
	if users < exportUsers {
		return records, position{Part: partRevocations}, err
	}
	return records, position{Key: []string{last}}, err
}

func (s *Store) exportRevocations(ctx context.Context, at position, now time.Time) ([]authcore.Record, position, error) {
	kind, id := "", ""
	if len(at.Key) == 2 {
		kind, id = at.Key[0], at.Key[1]
	}
	entries, err := all(ctx, s, func(row pgx.CollectableRow) (authcore.Revocation, error) {
		var r authcore.Revocation
		var kind string
		err := row.Scan(&kind, &r.ID, &r.Until)
		r.Kind = gate.RevocationKind(kind)
		return r, err
	}, `
		SELECT kind, id, until FROM @.revocations WHERE realm = $1 AND (kind, id) > ($2, $3) AND until > $4
		ORDER BY kind, id LIMIT $5`, s.realm, kind, id, stamp(now), exportRevocations)
	records := make([]authcore.Record, len(entries))
	for i := range entries {
		records[i].Revocation = &entries[i]
	}
	if len(entries) < exportRevocations {
		return records, position{Part: partKeys}, err
	}
	last := entries[len(entries)-1]
	return records, position{Part: partRevocations, Key: []string{string(last.Kind), last.ID}}, err
}

func (s *Store) exportKeys(ctx context.Context, now time.Time) ([]authcore.Record, position, error) {
	keys, err := all(ctx, s, scanKey, selectKeys, s.realm)
	var records []authcore.Record
	for i := range keys {
		if keys[i].Expires.IsZero() || now.Before(keys[i].Expires) {
			records = append(records, authcore.Record{Key: &keys[i]})
		}
	}
	return records, position{Part: partEnd}, err
}

// collect hands the rows of a statement on, one after the other.
func collect[T any](scan pgx.RowToFunc[T], take func(T)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		values, err := pgx.CollectRows(rows, scan)
		for _, value := range values {
			take(value)
		}
		return err
	}
}
