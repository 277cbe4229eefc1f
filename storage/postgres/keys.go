package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// keysRow is the stored document and its version, 0 without a row.
type keysRow struct {
	Version int64
	Doc     []byte
}

const selectKeys = `SELECT version, doc FROM @.keys WHERE realm = $1`

// swapKeys stores the keys unless they have another version than $2.
const swapKeys = `INSERT INTO @.keys AS k (realm, version, doc) SELECT $1, 1, $3 WHERE $2::bigint = 0 OR
	EXISTS (SELECT FROM @.keys WHERE realm = $1)
	ON CONFLICT (realm) DO UPDATE SET version = k.version + 1, doc = EXCLUDED.doc WHERE k.version = $2`

// UpdateKeys applies change to the signing keys. See authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	var stored keysRow
	read := func() (doc []byte, err error) {
		stored, err = s.keys(ctx)
		return stored.Doc, err
	}
	swap := func(_, text []byte) (bool, error) {
		replaced, err := s.exec(ctx, swapKeys, s.realm, stored.Version, string(text))
		return replaced == 1, err
	}
	return kv.UpdateKeys(change, read, swap)
}

func (s *Store) keys(ctx context.Context) (stored keysRow, err error) {
	rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[keysRow], selectKeys, s.realm)
	if len(rows) > 0 {
		stored = rows[0]
	}
	return stored, err
}
