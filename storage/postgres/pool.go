package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// defaultConnections is how many connections are opened at most by default. A
	// login waits for the disk more than for the server, so that more of them than
	// there are processors share one write.
	defaultConnections = 16
	// pingTimeout is how long an idle connection may take to show that it lives.
	pingTimeout = time.Second
	// idleUnasked is for how long an idle connection is taken to live.
	idleUnasked = time.Second
)

// sizesPool reports whether the DSN, which was read before, says how many
// connections there are to be.
func sizesPool(dsn string) bool {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return false
	}
	_, named := config.RuntimeParams["pool_max_conns"]
	return named
}

// fitting returns how many connections are opened at most where nobody has said it:
// no more than a quarter of what server, database and role allow, so that several
// nodes and those who look after them find room.
func fitting(ctx context.Context, conn *pgx.Conn) (int32, error) {
	var allowed int32
	err := conn.QueryRow(ctx, `
		SELECT least(current_setting('max_connections')::integer, nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1))
		FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = session_user`).Scan(&allowed)
	return min(defaultConnections, max(1, allowed/4)), err
}

// lost reports whether an idle connection is of no use any more. Where one does not
// answer, the others do not either: each would take its time to be found out, and
// logouts would be heard of late when the server is there again at another place.
func (db *DB) lost(ctx context.Context, params pgxpool.ShouldPingParams) bool {
	if params.IdleDuration < idleUnasked {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if params.Conn.Ping(asking) == nil {
		return false
	}
	if ctx.Err() == nil { // the caller has not gone away
		db.pool.Reset()
	}
	return true // it is closed, so that the pool's own ping fails at once
}
