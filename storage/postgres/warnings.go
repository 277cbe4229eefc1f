package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Warnings says by which settings the server would lose what it has acknowledged,
// one sentence for each. The error wraps authcore.ErrUnavailable.
func (db *DB) Warnings(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	rows, err := db.pool.Query(ctx, `
		SELECT name FROM pg_settings
		WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`)
	if err != nil {
		return nil, answer(ctx, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, answer(ctx, err)
	}
	warnings := make([]string, 0, len(names))
	for _, name := range names {
		warnings = append(warnings, lossy[name])
	}
	return warnings, nil
}

// lossy tells what becomes of a server with a setting off.
var lossy = map[string]string{
	"fsync":              "fsync is off: when the machine fails, the database may be destroyed; set it to on",
	"full_page_writes":   "full_page_writes is off: when the machine fails, pages may be torn; set it to on",
	"synchronous_commit": "synchronous_commit is off: when the server crashes, its last moments are lost, used links and logouts too; set it to on",
}
