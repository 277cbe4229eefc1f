package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// oldestServer is PostgreSQL 13, the first version with xid8.
const oldestServer = 13

// migration is one version of the schema. Released migrations never change.
type migration struct {
	version    int
	name, text string
}

// embedded returns the migrations of this program in order.
func embedded() ([]migration, error) { return readMigrations(migrations) }

func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	steps := make([]migration, 0, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		title := strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql")
		number, _, _ := strings.Cut(title, "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("postgres: migration %s should have number %d", title, i+1)
		}
		steps = append(steps, migration{version: i + 1, name: title, text: string(text)})
	}
	return steps, nil
}

// prepare checks the server and migrates the schema. It returns the size of the
// pool: the wanted one, or for 0 the one that fits the server.
func (db *DB) prepare(ctx context.Context, connections int32) (int32, error) {
	conn, err := pgx.ConnectConfig(ctx, db.listen.Copy())
	if err != nil {
		return 0, err
	}
	defer closeQuickly(ctx, conn)
	if err := checkServer(conn); err != nil {
		return 0, err
	}
	steps, err := embedded()
	if err != nil {
		return 0, err
	}
	if err := migrate(ctx, conn, db.schema, steps); err != nil {
		return 0, err
	}
	var format int
	if err := conn.QueryRow(ctx, db.in(`SELECT coalesce(max(format), 0) FROM @.realms`)).Scan(&format); err != nil {
		return 0, err
	}
	if err := checkFormat(format); err != nil {
		return 0, err
	}
	if connections > 0 {
		return connections, nil
	}
	return fitting(ctx, conn)
}

func closeQuickly(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}

func checkServer(conn *pgx.Conn) error {
	version := conn.PgConn().ParameterStatus("server_version")
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err == nil && major < oldestServer {
		return fmt.Errorf("the server is PostgreSQL %s; upgrade it to %d or newer", version, oldestServer)
	}
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		return fmt.Errorf("the database has the encoding %s; create one with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// migrate applies the missing migrations, all or none of them. One node does it
// while others wait for its lock, without a limit of time. If nothing is missing,
// no lock and no right to create anything is needed.
func migrate(ctx context.Context, conn *pgx.Conn, schema string, steps []migration) error {
	version, err := schemaVersion(ctx, conn, schema, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		const lock = `SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),
			pg_advisory_xact_lock(hashtextextended('edgeauth migrations of ' || $1::text, 0))`
		if _, err := tx.Exec(ctx, lock, schema); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, tx, schema, len(steps))
		if err != nil {
			return err
		}
		if version == 0 {
			if err := createSchema(ctx, tx, schema); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true)`, pgx.Identifier{schema}.Sanitize()); err != nil {
			return err
		}
		for _, step := range steps[version:] {
			if _, err := tx.Conn().PgConn().Exec(ctx, step.text).ReadAll(); err != nil {
				return fmt.Errorf("migration %s: %w", step.name, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO migrations (version, name) VALUES ($1, $2)`, step.version, step.name); err != nil {
				return err
			}
		}
		return nil
	})
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// schemaVersion returns the number of the last migration, or 0 for a schema that is
// missing or empty. It refuses a schema of another program or of a newer version.
func schemaVersion(ctx context.Context, db querier, schema string, known int) (int, error) {
	var ours, empty bool
	const look = `SELECT
		EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relname = 'migrations' AND c.relkind = 'r'),
		NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)`
	if err := db.QueryRow(ctx, look, schema).Scan(&ours, &empty); err != nil {
		return 0, err
	}
	switch {
	case empty:
		return 0, nil
	case !ours:
		return 0, fmt.Errorf("the schema %s belongs to another program; name another schema", schema)
	}
	var version int
	err := db.QueryRow(ctx, qualify(schema, `SELECT coalesce(max(version), 0) FROM @.migrations`)).Scan(&version)
	switch {
	case err != nil:
		return 0, err
	case version == 0:
		return 0, fmt.Errorf("the schema %s has no version; restore it from a backup", schema)
	case version > known:
		return 0, fmt.Errorf("the schema %s has version %d, this program knows up to %d; "+
			"run the newer program, or restore a backup of the older one", schema, version, known)
	}
	return version, nil
}

func createSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&exists); err != nil {
		return err
	}
	if !exists { // IF NOT EXISTS would need the right to create it all the same
		if _, err := tx.Exec(ctx, `CREATE SCHEMA `+pgx.Identifier{schema}.Sanitize()); err != nil {
			return fmt.Errorf("create the schema %s: %w", schema, err)
		}
	}
	_, err := tx.Exec(ctx, qualify(schema, `CREATE TABLE @.migrations (
		version integer PRIMARY KEY,
		name    text NOT NULL,
		applied timestamptz NOT NULL DEFAULT now()
	)`))
	return err
}
