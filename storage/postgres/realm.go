package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
)

// Store is one realm of a DB: an authcore.Store, safe for concurrent use, that
// lives until the DB is closed. Get it with DB.Realm.
//
// The functions that UpdateUser, UpdateFlow, EndSessions and UpdateKeys are given
// run while rows of the database are locked: they must not call the store and
// should be quick.
type Store struct {
	db    *DB
	realm string
}

// Realm returns the realm of this name and makes it where it is missing.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if err := checkName("realm", name, maxRealmLength); err != nil {
		return nil, err
	}
	s := &Store{db: db, realm: name}
	err := s.transact(ctx, func(b *batch) error {
		b.queue(`INSERT INTO @.realms (name) VALUES ($1) ON CONFLICT DO NOTHING`, name)
		b.queue(`INSERT INTO @.feeds (realm) VALUES ($1) ON CONFLICT DO NOTHING`, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// run makes attempts at a step until one is not transient, within the time of the
// context and of a call.
func (s *Store) run(ctx context.Context, step func(context.Context, *pgxpool.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
	defer cancel()
	for {
		err := s.attempt(bounded, step)
		if !transient(err) {
			return answer(ctx, err)
		}
		wait := time.NewTimer(rand.N(5 * time.Millisecond)) //nolint:gosec // no secret
		select {
		case <-wait.C:
		case <-bounded.Done():
			wait.Stop()
			return answer(ctx, bounded.Err())
		}
	}
}

func (s *Store) attempt(ctx context.Context, step func(context.Context, *pgxpool.Conn) error) error {
	conn, err := s.db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = step(ctx, conn)
	if err != nil && ctx.Err() == nil && (conn.Conn().IsClosed() || sqlState(err) == readOnlyTransaction) {
		s.db.pool.Reset() // the server has gone, or another one is the primary
	}
	return err
}

// one runs a statement that returns one row, or none for "not found".
func one[T any](
	ctx context.Context, s *Store, scan pgx.RowToFunc[T], statement string, args ...any,
) (T, error) {
	var result T
	err := s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, s.db.tables.in(statement), args...)
		if err != nil {
			return err
		}
		result, err = pgx.CollectExactlyOneRow(rows, scan)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// all runs a statement that returns any number of rows.
func all[T any](
	ctx context.Context, s *Store, scan pgx.RowToFunc[T], statement string, args ...any,
) ([]T, error) {
	var result []T
	err := s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, s.db.tables.in(statement), args...)
		if err != nil {
			return err
		}
		result, err = pgx.AppendRows(result[:0], rows, scan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	var changed int64
	err := s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		tag, err := conn.Exec(ctx, s.db.tables.in(statement), args...)
		changed = tag.RowsAffected()
		return err
	})
	return changed, err
}

// batch is statements that are sent together, in one round trip.
type batch struct {
	pgx.Batch
	tables tables
}

func (b *batch) queue(statement string, args ...any) *pgx.QueuedQuery {
	return b.Queue(b.tables.in(statement), args...)
}

// send sends the statements. The error about a connection that broke meanwhile says
// that it is closed, as if nothing had been sent, which is not known.
func (b *batch) send(ctx context.Context, conn *pgxpool.Conn) error {
	err := conn.SendBatch(ctx, &b.Batch).Close()
	if err != nil && pgconn.SafeToRetry(err) {
		return errors.New("the connection broke")
	}
	return err
}

// errNothing ends a transaction in which there is nothing to write.
var errNothing = errors.New("postgres: nothing to write")

// transact runs one transaction in as many round trips as it has stages. A stage
// queues statements; what they return is seen by the next one, or by the caller
// when the transaction is committed. A stage that fails ends all of it.
//
// The level of isolation is stated, because later statements have to see what was
// committed while earlier ones waited for a lock, whatever the default of the
// database is. A node that stops between two stages does not keep its locks.
func (s *Store) transact(ctx context.Context, stages ...func(*batch) error) error {
	return s.run(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		defer rollback(ctx, conn)
		for i, stage := range stages {
			b := &batch{tables: s.db.tables}
			if i == 0 {
				b.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
				if len(stages) > 1 {
					b.Queue(`SET LOCAL idle_in_transaction_session_timeout = '5s'`)
				}
			}
			if err := stage(b); errors.Is(err, errNothing) {
				return nil
			} else if err != nil {
				return err
			}
			if i == len(stages)-1 {
				b.Queue(`COMMIT`)
			}
			if err := b.send(ctx, conn); err != nil {
				return err
			}
		}
		return nil
	})
}

// rollback ends a transaction that was begun and not committed. When that fails
// the pool drops the connection.
func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() || conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, `ROLLBACK`)
}

// unkeepable is the failure to store text that PostgreSQL cannot keep, where
// changing the text would make two things one.
func unkeepable(what string) error {
	return unavailable(errors.New(what + " has a NUL or is no UTF-8, which PostgreSQL cannot keep"))
}

var _ authcore.Store = (*Store)(nil)
