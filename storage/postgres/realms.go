package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

// ErrOldSchema says that a schema was made by an older version, and that Open would
// bring it up to date.
var ErrOldSchema = errors.New("start this version on it first, which brings it up to date")

// Realms returns the names of the realms in a database, sorted. Unlike Open it
// makes and changes nothing: without a schema of ours the error wraps
// fs.ErrNotExist, with one of an older version it is ErrOldSchema.
func Realms(ctx context.Context, dsn string, opts ...Option) (names []string, err error) {
	steps, err := embedded()
	if err != nil {
		return nil, err
	}
	set := settings(opts)
	err = once(ctx, dsn, set, func(conn *pgx.Conn) error {
		names, err = realmNames(ctx, conn, newTables(set.schema), steps)
		return err
	})
	return names, err
}

// once asks over a connection that is made for it.
func once(ctx context.Context, dsn string, set options, ask func(*pgx.Conn) error) error {
	config, err := configure(dsn, set)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return openError(config.ConnConfig, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := ask(conn); err != nil {
		return openError(config.ConnConfig, err)
	}
	return nil
}

func realmNames(ctx context.Context, conn *pgx.Conn, tables tables, steps []migration) ([]string, error) {
	version, err := schemaVersion(ctx, conn, tables, len(steps))
	if err != nil {
		return nil, err
	}
	switch {
	case version == 0:
		return nil, fmt.Errorf("the schema %s has nothing in it: %w", tables.schema, fs.ErrNotExist)
	case version < len(steps):
		return nil, fmt.Errorf("the schema %s has version %d of %d: %w", tables.schema, version, len(steps), ErrOldSchema)
	}
	rows, err := conn.Query(ctx, tables.in(`SELECT name FROM @.realms ORDER BY name`))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
