package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// ClockSkew returns how far the clock of the server that Open would use is ahead
// of now. Like Realms it makes and changes nothing; it needs no schema.
func ClockSkew(ctx context.Context, dsn string, now func() time.Time, opts ...Option) (skew time.Duration, err error) {
	err = once(ctx, dsn, settings(opts), func(conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		var theirs int64
		begin := now()
		// The simple protocol has one round trip, in the middle of which they look. Its
		// answers are text, which for a time the session's DateStyle would decide on.
		const micros = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
		if err := conn.QueryRow(ctx, micros, pgx.QueryExecModeSimpleProtocol).Scan(&theirs); err != nil {
			return err
		}
		skew = authcore.Skew(begin, time.UnixMicro(theirs), now())
		return nil
	})
	return skew, err
}
