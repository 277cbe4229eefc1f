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
		var theirs time.Time
		begin := now()
		// The simple protocol has one round trip, in the middle of which they look.
		if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`, pgx.QueryExecModeSimpleProtocol).Scan(&theirs); err != nil {
			return err
		}
		skew = authcore.Skew(begin, theirs, now())
		return nil
	})
	return skew, err
}
