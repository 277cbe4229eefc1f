package postgres

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// Store is one realm of a [DB]. It is safe for concurrent use and lives until the
// DB is closed. [DB.Realm] returns it.
type Store struct {
	db    *DB
	realm string
	// added counts new counters since the last eviction.
	added atomic.Int64
}

var _ authcore.Store = (*Store)(nil)

// Realm returns the realm of this name and creates it if it is missing.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if err := checkName("realm", name, maxRealmLength); err != nil {
		return nil, err
	}
	s := &Store{db: db, realm: name}
	formats, err := query(ctx, s, db.pool, pgx.RowTo[int], `INSERT INTO @.realms AS r (name, format) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET format = greatest(r.format, EXCLUDED.format) RETURNING format`, name, authcore.Format)
	if err != nil {
		return nil, err
	}
	return s, checkFormat(formats[0])
}

// checkFormat refuses a realm whose documents may have fields that this program
// would drop.
func checkFormat(format int) error {
	if format > authcore.Format {
		return fmt.Errorf("postgres: the store has format %d, this program knows up to %d; run the newer program", format, authcore.Format)
	}
	return nil
}
