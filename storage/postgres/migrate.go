package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// oldestServer is PostgreSQL 13, the first with FETCH … WITH TIES.
const oldestServer = 13

// migration is one step of the schema. Steps are never changed once they were
// released.
type migration struct {
	version    int
	name, text string
}

// embedded returns the migrations of this program in their order.
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

// prepare checks the server and brings the schema up to date. It returns how many
// connections there are to be, which are those wanted, or for 0 those that fit.
func (db *DB) prepare(ctx context.Context, connections int32) (int32, error) {
	conn, err := pgx.ConnectConfig(ctx, db.listen.Copy())
	if err != nil {
		return 0, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if err := checkServer(conn); err != nil {
		return 0, err
	}
	steps, err := embedded()
	if err != nil {
		return 0, err
	}
	if err := migrate(ctx, conn, db.tables, steps); err != nil || connections > 0 {
		return connections, err
	}
	return fitting(ctx, conn)
}

func checkServer(conn *pgx.Conn) error {
	version := conn.PgConn().ParameterStatus("server_version")
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err == nil && major < oldestServer {
		return fmt.Errorf("the server is PostgreSQL %s: upgrade it to %d or newer", version, oldestServer)
	}
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		return fmt.Errorf("the database has the encoding %s: create one with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// migrate applies the steps that the schema lacks, all or none of them. One node
// does it, others wait for its lock. When there is nothing to do nothing is locked
// and no right to create anything is needed.
func migrate(ctx context.Context, conn *pgx.Conn, tables tables, steps []migration) error {
	version, err := schemaVersion(ctx, conn, tables, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		const lock = `SELECT pg_advisory_xact_lock(hashtextextended('edgeauth migrations of ' || $1::text, 0))`
		if _, err := tx.Exec(ctx, lock, tables.schema); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, tx, tables, len(steps))
		if err != nil {
			return err
		}
		if version == 0 {
			if err := createSchema(ctx, tx, tables); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true)`, strings.TrimSuffix(tables.prefix, ".")); err != nil {
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

// schemaVersion returns the number of the last migration, 0 for a schema that is
// missing or empty. It refuses one that is not ours or newer than the program.
func schemaVersion(ctx context.Context, db querier, tables tables, known int) (int, error) {
	var ours, empty bool
	const look = `SELECT
		EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relname = 'migrations' AND c.relkind = 'r'),
		NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)`
	if err := db.QueryRow(ctx, look, tables.schema).Scan(&ours, &empty); err != nil {
		return 0, err
	}
	switch {
	case empty:
		return 0, nil
	case !ours:
		return 0, fmt.Errorf("the schema %s belongs to another program: name another schema", tables.schema)
	}
	var version int
	err := db.QueryRow(ctx, tables.in(`SELECT coalesce(max(version), 0) FROM @.migrations`)).Scan(&version)
	switch {
	case err != nil:
		return 0, err
	case version == 0:
		return 0, fmt.Errorf("the schema %s states no version: restore it from a backup", tables.schema)
	case version > known:
		return 0, fmt.Errorf("the schema %s has version %d, this program knows up to %d: "+
			"run the newer program, or restore the backup made before it ran", tables.schema, version, known)
	}
	return version, nil
}

func createSchema(ctx context.Context, tx pgx.Tx, tables tables) error {
	name := strings.TrimSuffix(tables.prefix, ".")
	var exists bool
	const look = `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`
	if err := tx.QueryRow(ctx, look, tables.schema).Scan(&exists); err != nil {
		return err
	}
	if !exists { // IF NOT EXISTS would ask for the right to create it all the same
		if _, err := tx.Exec(ctx, `CREATE SCHEMA `+name); err != nil {
			return errors.Join(fmt.Errorf("create the schema %s", tables.schema), err)
		}
	}
	_, err := tx.Exec(ctx, tables.in(`CREATE TABLE @.migrations (
		version integer PRIMARY KEY,
		name    text NOT NULL,
		applied timestamptz NOT NULL DEFAULT now()
	)`))
	return err
}
