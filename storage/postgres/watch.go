package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// quiet is the silence after which the connection of a watch is checked.
const quiet = 15 * time.Second

// watch is a running WatchRevocations.
type watch struct{ cancel context.CancelFunc }

// WatchRevocations calls notify when the watch begins and after every step that
// appended to the feed, until ctx ends. See authcore.Revocations. It uses a connection
// of its own and ends when that breaks.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) (err error) {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	leave, err := s.db.enter(&watch{cancel})
	if err != nil {
		return err
	}
	defer leave()
	defer func() {
		if cause := recover(); cause != nil {
			err = unavailable(panicError(cause))
		}
	}()
	err = s.listen(watching, notify)
	if ctx.Err() == nil && watching.Err() != nil {
		return unavailable(errClosed)
	}
	return answer(ctx, err)
}

func (s *Store) listen(ctx context.Context, notify func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.db.listen.Copy())
	if err != nil {
		return err
	}
	defer closeQuickly(ctx, conn)
	if err := s.bounded(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{s.db.schema}.Sanitize())
		return err
	}); err != nil {
		return err
	}
	notify() // earlier notifications were missed
	for {
		waiting, cancel := context.WithTimeout(ctx, s.db.quiet)
		notification, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil && notification.Payload == s.realm:
			notify()
		case err != nil && silent:
			err = s.bounded(ctx, conn.Ping)
		}
		if err != nil {
			return err
		}
	}
}

// bounded gives work the time of a call.
func (s *Store) bounded(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.db.timeout)
	defer cancel()
	return work(ctx)
}

// enter registers a watch until leave is called.
func (db *DB) enter(w *watch) (leave func(), err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, unavailable(errClosed)
	}
	db.watches[w] = struct{}{}
	return func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		delete(db.watches, w)
	}, nil
}
