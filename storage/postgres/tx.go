package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/storage/kv"
)

// maxViolations limits attempts that end at a constraint. A step that loses a race
// against a first login of the same user finds the user at the next attempt.
const maxViolations = 3

// tx is one attempt at a step. Queued statements are sent together, in one round
// trip.
type tx struct {
	db    *DB
	conn  *pgxpool.Conn
	batch pgx.Batch
	// attempt counts the attempts at the step. After a conflict rows are locked when
	// they are loaded, so that the next attempt succeeds.
	attempt int
	// notify is the realm whose watches are notified after the commit, or "".
	notify                       string
	begun, committing, committed bool
}

// run tries a step until an attempt succeeds or another one must not be made, within
// the time of the context and of a call.
func (s *Store) run(ctx context.Context, pool *pgxpool.Pool, step func(context.Context, *tx) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		again, err := s.attempt(bounded, pool, attempt, step)
		if err == nil || !again {
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

// attempt also reports whether the step certainly did not happen and may succeed at
// another attempt.
func (s *Store) attempt(
	ctx context.Context, pool *pgxpool.Pool, attempt int, step func(context.Context, *tx) error,
) (again bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	t := &tx{db: s.db, conn: conn, attempt: attempt}
	returned := false
	err = kv.Recover("step", func() error {
		err := step(ctx, t)
		t.rollback(ctx)
		returned = true
		return err
	})
	if !returned { // The state of the connection is unknown. The server rolls back.
		_ = conn.Hijack().PgConn().Conn().Close()
		return false, final{err}
	}
	defer release(conn)
	lost := err != nil && ctx.Err() == nil && conn.Conn().IsClosed()
	if lost || sqlState(err) == readOnlyTransaction {
		pool.Reset() // the server has gone, or another one is the primary
	}
	var told final
	switch {
	case errors.As(err, &told):
		return false, err
	case sqlState(err) == serializationFailure, sqlState(err) == deadlockDetected, sqlState(err) == divisionByZero:
		return true, err
	case violation(err) != nil:
		return attempt < maxViolations, err
	}
	return lost && !t.committing && attempt == 1, err
}

// release returns a connection to its pool. A closed one leaves the pool first: its
// cleanup waits for the server for up to 15 seconds, if packets are lost, and would
// occupy a place of the pool meanwhile.
func release(conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() {
		conn.Hijack()
		return
	}
	conn.Release()
}

func (t *tx) queue(statement string, args ...any) *pgx.QueuedQuery {
	return t.batch.Queue(t.db.in(statement), args...)
}

// queueFirst queues a statement before the others.
func (t *tx) queueFirst(statement string, args ...any) {
	first := &pgx.QueuedQuery{SQL: t.db.in(statement), Arguments: args}
	t.batch.QueuedQueries = append([]*pgx.QueuedQuery{first}, t.batch.QueuedQueries...)
}

// guarded returns a statement that ends the transaction, by a division by zero, if
// another statement changes no row: a concurrent step was faster.
func guarded(statement string) string {
	return `WITH guarded AS (` + statement + ` RETURNING 1) SELECT 1 / count(*) FROM guarded`
}

// load sends the queued statements that load rows for a decision.
func (t *tx) load(ctx context.Context) error {
	if t.attempt == 1 {
		return t.send(ctx)
	}
	return t.begin(ctx)
}

// begin sends the queued statements as the beginning of a transaction.
func (t *tx) begin(ctx context.Context) error {
	t.begun = true
	t.queueFirst(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	return t.send(ctx)
}

// commit sends the queued statements and commits. One statement that was not begun is a
// transaction of its own. Several are begun, because an implicit transaction would have
// the level of isolation that the database has by default: the second statement must see
// what the first one waited for. A notification follows the commit, and its failure is
// not one of the step.
func (t *tx) commit(ctx context.Context) error {
	t.committing = true
	if !t.begun && t.notify == "" && t.batch.Len() == 1 {
		return t.send(ctx)
	}
	if !t.begun {
		t.queueFirst(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	}
	t.queue(`COMMIT`).Exec(func(pgconn.CommandTag) error {
		t.committed = true
		return nil
	})
	if t.notify != "" {
		t.queue(`SELECT pg_notify($1::text, $2::text)`, t.db.schema, t.notify)
	}
	if err := t.send(ctx); !t.committed {
		return errors.Join(err, errNotCommitted)
	}
	return nil
}

// send sends the queued statements.
func (t *tx) send(ctx context.Context) error {
	batch := t.batch
	t.batch = pgx.Batch{}
	return t.conn.SendBatch(ctx, &batch).Close()
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

// query runs one statement that only reads.
func query[T any](
	ctx context.Context, s *Store, pool *pgxpool.Pool, scan pgx.RowToFunc[T], statement string, args ...any,
) (result []T, err error) {
	err = s.run(ctx, pool, func(ctx context.Context, t *tx) error {
		t.queue(statement, args...).Query(collect(&result, scan))
		return t.send(ctx)
	})
	return orZero(result, err)
}

// exec runs one statement that writes and returns the number of rows.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (changed int64, err error) {
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		t.queue(statement, args...).Exec(count(&changed))
		return t.commit(ctx)
	})
	return changed, err
}

// collect stores the rows of a statement.
func collect[T any](result *[]T, scan pgx.RowToFunc[T]) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*result, err = pgx.CollectRows(rows, scan)
		return err
	}
}

// count stores the number of rows of a statement.
func count(rows *int64) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*rows = tag.RowsAffected()
		return nil
	}
}

// orZero returns no value with an error.
func orZero[T any](value T, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}
