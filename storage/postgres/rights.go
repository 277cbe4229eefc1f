package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Rights returns an error that names the tables of a schema of ours which the role
// may not read and change as a server does. Like Realms it makes and changes
// nothing.
func Rights(ctx context.Context, dsn string, opts ...Option) error {
	set := settings(opts)
	return once(ctx, dsn, set, func(conn *pgx.Conn) error {
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
		return fmt.Errorf("the role lacks rights on %s: run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s",
			strings.Join(closed, ", "), set.schema)
	})
}
