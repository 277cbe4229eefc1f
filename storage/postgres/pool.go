package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// defaultConnections limits the pool by default. A step waits for the disk more
	// than for a processor, so that many steps share one write.
	defaultConnections = 32
	// pingTimeout bounds the check of an idle connection.
	pingTimeout = time.Second
	// trustIdle is the idle time up to which a connection is not checked.
	trustIdle = time.Second
)

// sizesPool reports whether the DSN, which was parsed before, sets the number of
// connections.
func sizesPool(dsn string) bool {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return false
	}
	_, named := config.RuntimeParams["pool_max_conns"]
	return named
}

// fitting returns the default size of the pool: at most a quarter of what server,
// database and role allow, so that several nodes and operators can connect.
func fitting(ctx context.Context, conn *pgx.Conn) (int32, error) {
	var allowed int32
	err := conn.QueryRow(ctx, `
		SELECT least(current_setting('max_connections')::integer, nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1))
		FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = session_user`).Scan(&allowed)
	return min(defaultConnections, max(1, allowed/4)), err
}

// pingIdle returns a hook that checks a connection that was idle. If it does not
// answer, reset drops all others too: each would need its own timeout.
func pingIdle(reset func()) func(context.Context, pgxpool.ShouldPingParams) bool {
	return func(ctx context.Context, params pgxpool.ShouldPingParams) bool {
		if params.IdleDuration < trustIdle {
			return false
		}
		bounded, cancel := context.WithTimeout(ctx, pingTimeout)
		defer cancel()
		if params.Conn.Ping(bounded) == nil {
			return false
		}
		if ctx.Err() == nil { // otherwise the caller has left
			reset()
		}
		return true // the connection is closed, so that the ping of the pool fails
	}
}
