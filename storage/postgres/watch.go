package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// quiet is after how long without a notification the connection of a watch is
// tried: one whose other end is gone would be silent forever.
const quiet = 15 * time.Second

// watch is a WatchRevocations that goes on.
type watch struct{ cancel context.CancelFunc }

var errClosed = errors.New("the store is closed")

// WatchRevocations calls notify when the watch stands and after every commit that
// revoked or lifted something, until ctx ends. See authcore.Revocations. It has a
// connection of its own and ends when that breaks.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
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
	err = s.listen(watching, notify)
	switch {
	case ctx.Err() != nil:
		return unavailable(ctx.Err())
	case watching.Err() != nil:
		return unavailable(errClosed)
	}
	return answer(ctx, err)
}

func (s *Store) listen(ctx context.Context, notify func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.db.listen.Copy())
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if err := s.bounded(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{s.channel()}.Sanitize())
		return err
	}); err != nil {
		return err
	}
	notify() // what came before may have been missed
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

// enter notes a watch until leave is called.
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
