package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/storage/kv"
)

// quiet is the silence after which the connection of a watch is checked.
const quiet = 15 * time.Second

// WatchRevocations calls notify when the watch begins and after every step that
// appended to the feed, until ctx ends. See authcore.Revocations. It uses a connection
// of its own and ends when that breaks, or when the database is closed.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.db.closed:
			cancel()
		case <-watching.Done():
		}
	}()
	err := kv.Recover("watch", func() error { return s.listen(watching, notify) })
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
	bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
	_, err = conn.Exec(bounded, `LISTEN `+pgx.Identifier{s.db.schema}.Sanitize())
	cancel()
	if err != nil {
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
			bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
			err = conn.Ping(bounded)
			cancel()
		}
		if err != nil {
			return err
		}
	}
}
