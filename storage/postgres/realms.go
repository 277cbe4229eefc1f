package postgres

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

// Realms returns the names of the realms in a database, sorted. Unlike Open it
// makes and changes nothing: without a schema of ours the error wraps
// fs.ErrNotExist.
func Realms(ctx context.Context, dsn string, opts ...Option) ([]string, error) {
	set := settings(opts)
	config, err := configure(dsn, set)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, openError(config.ConnConfig, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	names, err := realmNames(ctx, conn, newTables(set.schema))
	if err != nil {
		return nil, openError(config.ConnConfig, err)
	}
	return names, nil
}

func realmNames(ctx context.Context, conn *pgx.Conn, tables tables) ([]string, error) {
	steps, err := embedded()
	if err != nil {
		return nil, err
	}
	version, err := schemaVersion(ctx, conn, tables, len(steps))
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, fmt.Errorf("the schema %s has nothing in it: %w", tables.schema, fs.ErrNotExist)
	}
	rows, err := conn.Query(ctx, tables.in(`SELECT name FROM @.realms ORDER BY name`))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
