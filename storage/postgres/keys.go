package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxKeyConflicts limits how often UpdateKeys tries again.
const maxKeyConflicts = 100

// keysRow is the stored document and its version, 0 without a row.
type keysRow struct {
	Version int64
	Doc     []byte
}

const selectKeys = `SELECT version, doc FROM @.keys WHERE realm = $1`

// UpdateKeys applies change to the signing keys. See authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) (keys []authcore.SigningKey, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			keys, err = nil, unavailable(panicError(cause))
		}
	}()
	for range maxKeyConflicts {
		rows, err := query(ctx, s, s.db.pool, pgx.RowToStructByPos[keysRow], selectKeys, s.realm)
		if err != nil {
			return nil, err
		}
		former, version, err := decodeKeys(rows)
		if err != nil {
			return nil, answer(ctx, err)
		}
		wanted, err := change(cloneKeys(former))
		if err != nil {
			return nil, err
		}
		doc, stored, err := changed(former, cloneKeys(wanted))
		if err != nil || doc == "" {
			return orZero(stored, answer(ctx, err))
		}
		replaced, err := s.exec(ctx, swapKeys, s.realm, version, doc)
		if err != nil || replaced == 1 {
			return orZero(stored, err)
		}
	}
	return nil, unavailable(errors.New("conflicting updates of the signing keys"))
}

// swapKeys stores the keys unless they have another version than $2.
const swapKeys = `INSERT INTO @.keys AS k (realm, version, doc) SELECT $1, 1, $3 WHERE $2::bigint = 0 OR
	EXISTS (SELECT FROM @.keys WHERE realm = $1)
	ON CONFLICT (realm) DO UPDATE SET version = k.version + 1, doc = EXCLUDED.doc WHERE k.version = $2`

func decodeKeys(rows []keysRow) (keys []authcore.SigningKey, version int64, err error) {
	if len(rows) == 0 {
		return nil, 0, nil
	}
	keys, err = decode[[]authcore.SigningKey](rows[0].Doc)
	return keys, rows[0].Version, err
}

func cloneKeys(keys []authcore.SigningKey) []authcore.SigningKey {
	clones := slices.Clone(keys)
	for i := range clones {
		clones[i].Private = slices.Clone(clones[i].Private)
	}
	return clones
}
