package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// ErrOldSchema reports that an older version created the schema, and that Open
// would migrate it.
var ErrOldSchema = errors.New("start this version on it first, which migrates it")

// Realms returns the names of the realms in a database, sorted. Unlike Open it
// creates and changes nothing: without a schema the error wraps fs.ErrNotExist, with
// the schema of an older version it wraps ErrOldSchema.
func Realms(ctx context.Context, dsn string, opts ...Option) (names []string, err error) {
	steps, err := embedded()
	if err != nil {
		return nil, err
	}
	set := settings(opts)
	err = inspect(ctx, dsn, set, func(conn *pgx.Conn) error {
		names, err = realmNames(ctx, conn, set.schema, steps)
		return err
	})
	return names, err
}

// inspect runs work with a connection of its own.
func inspect(ctx context.Context, dsn string, set options, work func(*pgx.Conn) error) error {
	config, err := configure(dsn, set)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err == nil {
		defer closeQuickly(ctx, conn)
		err = work(conn)
	}
	if err != nil {
		return openError(config.ConnConfig, err)
	}
	return nil
}

func realmNames(ctx context.Context, conn *pgx.Conn, schema string, steps []migration) ([]string, error) {
	version, err := schemaVersion(ctx, conn, schema, len(steps))
	switch {
	case err != nil:
		return nil, err
	case version == 0:
		return nil, fmt.Errorf("the schema %s is empty: %w", schema, fs.ErrNotExist)
	case version < len(steps):
		return nil, fmt.Errorf("the schema %s has version %d of %d: %w", schema, version, len(steps), ErrOldSchema)
	}
	rows, err := conn.Query(ctx, qualify(schema, `SELECT name FROM @.realms ORDER BY name`))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Rights returns an error that names the tables of the schema that the role may not
// read and change as a server does. It creates and changes nothing.
func Rights(ctx context.Context, dsn string, opts ...Option) error {
	set := settings(opts)
	return inspect(ctx, dsn, set, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `
			SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname <> 'migrations' AND NOT (
				has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND
				has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
			) ORDER BY c.relname`, set.schema)
		if err != nil {
			return err
		}
		closed, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(closed) == 0 {
			return err
		}
		return fmt.Errorf("the role lacks rights on %s; run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s",
			strings.Join(closed, ", "), set.schema)
	})
}

// ClockSkew returns how far the clock of the server that Open would use is ahead of
// now. It creates and changes nothing, and needs no schema.
func ClockSkew(ctx context.Context, dsn string, now func() time.Time, opts ...Option) (skew time.Duration, err error) {
	err = inspect(ctx, dsn, settings(opts), func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		var theirs int64
		begin := now()
		// The simple protocol has one round trip. Its results are text, which would
		// depend on the session's DateStyle for a time.
		const micros = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
		if err := conn.QueryRow(ctx, micros, pgx.QueryExecModeSimpleProtocol).Scan(&theirs); err != nil {
			return err
		}
		skew = authcore.Skew(begin, time.UnixMicro(theirs), now())
		return nil
	})
	return skew, err
}

// Warnings describes the settings with which the server would lose acknowledged
// steps, one sentence for each.
func (db *DB) Warnings(ctx context.Context) ([]string, error) {
	s := &Store{db: db}
	return query(ctx, s, db.pool, func(row pgx.CollectableRow) (string, error) {
		name, err := pgx.RowTo[string](row)
		consequences := map[string]string{
			"fsync":              "a failure of the machine may destroy the database",
			"full_page_writes":   "a failure of the machine may tear pages",
			"synchronous_commit": "a crash of the server loses its last moments, used links and logouts too",
		}
		return name + " is off: " + consequences[name] + "; set it to on", err
	}, `SELECT name FROM pg_settings
		WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`)
}
