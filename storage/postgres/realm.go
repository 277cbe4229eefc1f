package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
)

// Store is one realm of a [DB]. It is safe for concurrent use and lives until the
// DB is closed. [DB.Realm] returns it.
type Store struct {
	db    *DB
	realm string
	// added counts new counters since the last eviction.
	added atomic.Int64
}

var _ authcore.Store = (*Store)(nil)

// Realm returns the realm of this name and creates it if it is missing.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if err := checkName("realm", name, maxRealmLength); err != nil {
		return nil, err
	}
	s := &Store{db: db, realm: name}
	_, err := s.exec(ctx, `INSERT INTO @.realms AS r (name, format) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET format = EXCLUDED.format WHERE r.format < EXCLUDED.format`, name, authcore.Format)
	if err != nil {
		return nil, err
	}
	formats, err := query(ctx, s, db.pool, pgx.RowTo[int], `SELECT format FROM @.realms WHERE name = $1`, name)
	if err != nil {
		return nil, err
	}
	if len(formats) != 1 || formats[0] > authcore.Format {
		return nil, errNewer(formats)
	}
	return s, nil
}

// run tries a step until an attempt succeeds or its error is final, within the time
// of the context and of a call.
func (s *Store) run(ctx context.Context, pool *pgxpool.Pool, try func(context.Context, *pgxpool.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := attemptOnce(bounded, pool, try)
		if err == nil || !retryable(err, attempt) {
			return answer(ctx, err)
		}
		wait := time.NewTimer(rand.N(5 * time.Millisecond)) //nolint:gosec // not a secret
		select {
		case <-wait.C:
		case <-bounded.Done():
			wait.Stop()
			return answer(ctx, bounded.Err())
		}
	}
}

func attemptOnce(ctx context.Context, pool *pgxpool.Pool, try func(context.Context, *pgxpool.Conn) error) (err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer func() {
		if cause := recover(); cause != nil {
			// The state of the connection is unknown. The server rolls back.
			_ = conn.Hijack().PgConn().Conn().Close()
			err = final{unavailable(panicError(cause))}
		}
	}()
	err = try(ctx, conn)
	if err != nil && ctx.Err() == nil && (conn.Conn().IsClosed() || sqlState(err) == readOnlyTransaction) {
		pool.Reset() // the server has gone, or another one is the primary
	}
	if err != nil && conn.Conn().IsClosed() {
		err = broken{err}
	}
	return err
}

// query runs one statement that only reads. A connection that breaks is replaced
// once, because nothing can have happened twice.
func query[T any](
	ctx context.Context, s *Store, pool *pgxpool.Pool, scan pgx.RowToFunc[T], statement string, args ...any,
) (result []T, err error) {
	err = s.run(ctx, pool, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, s.db.in(statement), args...)
		if err == nil {
			result, err = pgx.AppendRows(result[:0], rows, scan)
		}
		return undone(err)
	})
	return orZero(result, err)
}

// exec runs one statement that writes and returns the number of rows.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (changed int64, err error) {
	err = s.send(ctx, func(t *tx) error {
		t.queue(statement, args...).Exec(count(&changed))
		return nil
	})
	return changed, err
}

// count stores the number of rows of a statement.
func count(rows *int64) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*rows = tag.RowsAffected()
		return nil
	}
}

// send runs statements that write, in one round trip. They are one implicit
// transaction.
func (s *Store) send(ctx context.Context, queue func(*tx) error) error {
	return s.run(ctx, s.db.pool, func(ctx context.Context, conn *pgxpool.Conn) error {
		t := &tx{db: s.db, conn: conn}
		if err := queue(t); err != nil {
			return err
		}
		return t.send(ctx)
	})
}

// tx is one attempt at a transaction. Queued statements are sent together, in one
// round trip.
type tx struct {
	db    *DB
	conn  *pgxpool.Conn
	batch pgx.Batch
	// channel and payload of a notification that follows the commit, if any.
	channel, payload string
	sent, committed  bool
}

// transact runs a step as one transaction. It is rolled back unless step commits.
func (s *Store) transact(ctx context.Context, step func(context.Context, *tx) error) error {
	return s.run(ctx, s.db.pool, func(ctx context.Context, conn *pgxpool.Conn) error {
		t := &tx{db: s.db, conn: conn}
		defer t.rollback(ctx)
		t.batch.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
		err := step(ctx, t)
		if !t.sent {
			return undone(err)
		}
		return err
	})
}

func (t *tx) queue(statement string, args ...any) *pgx.QueuedQuery {
	return t.batch.Queue(t.db.in(statement), args...)
}

// send sends the queued statements.
func (t *tx) send(ctx context.Context) error {
	batch := t.batch
	t.batch = pgx.Batch{}
	return t.conn.SendBatch(ctx, &batch).Close()
}

// commit sends the queued statements and COMMIT. A failure of the notification
// after the commit is not one of the step.
func (t *tx) commit(ctx context.Context) error {
	t.batch.Queue(`COMMIT`).Exec(func(pgconn.CommandTag) error {
		t.committed = true
		return nil
	})
	if t.channel != "" {
		t.batch.Queue(`SELECT pg_notify($1::text, $2::text)`, t.channel, t.payload)
	}
	t.sent = true
	if err := t.send(ctx); !t.committed {
		return errors.Join(err, errNotCommitted)
	}
	return nil
}

// rollback ends a transaction that was not committed. If it fails, the pool drops
// the connection.
func (t *tx) rollback(ctx context.Context) {
	if t.conn.Conn().IsClosed() || t.conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	_, _ = t.conn.Exec(ctx, `ROLLBACK`)
}
