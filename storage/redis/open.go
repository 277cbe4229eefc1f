package redis

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// callTimeout bounds every call, whatever go-redis has to do for it: find out who
// is the primary, connect, log in, follow a slot to another node.
const callTimeout = 5 * time.Second

// errClosed is the answer to calls on a closed DB.
var errClosed = errors.New("the store is closed")

// DB is a connection to one Redis, be it a server, a group under Sentinels or a
// Cluster, with any number of realms. It is safe for concurrent use and must be
// closed. Make it with Open.
type DB struct {
	client      goredis.UniversalClient
	keyPrefix   string
	replicas    int
	scripts     scripts
	maxCounters int

	mu      sync.Mutex
	ended   bool
	closed  chan struct{}
	calls   sync.WaitGroup
	closing sync.Once
}

// Open makes a DB. It connects when the first realm is asked for and not before.
func Open(config Config) (*DB, error) {
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	prefix := config.KeyPrefix
	if prefix == "" {
		prefix = DefaultKeyPrefix
	}
	return &DB{
		client: client, keyPrefix: prefix, replicas: config.WaitReplicas, scripts: newScripts(),
		maxCounters: maxCounters, closed: make(chan struct{}),
	}, nil
}

// Close ends the watches, closes the connections and waits for the calls that are
// under way. Every later call fails with authcore.ErrUnavailable. Closing again is
// no error.
func (db *DB) Close() error {
	var err error
	db.closing.Do(func() {
		db.mu.Lock()
		db.ended = true
		db.mu.Unlock()
		close(db.closed)
		err = db.client.Close()
		db.calls.Wait()
	})
	return err
}

// begin reports whether a call may be made; then calls.Done must be called.
func (db *DB) begin() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.ended {
		return false
	}
	db.calls.Add(1)
	return true
}

// do sends one command and returns its answer, nil for none. Its errors wrap
// authcore.ErrUnavailable.
//
// go-redis looks at the deadline of a context and not at its end, so the command
// runs in a goroutine that the caller need not wait for. It ends by itself after
// callTimeout at the latest, and Close waits for it.
func (db *DB) do(ctx context.Context, command []any) (any, error) {
	return db.send(ctx, command, func(ctx context.Context, sent once) error { return db.client.Process(ctx, sent) })
}

func (db *DB) send(
	ctx context.Context, command []any, process func(context.Context, once) error,
) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if !db.begin() {
		return nil, unavailable(errClosed)
	}
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	sent := newOnce(bounded, command)
	done := make(chan error, 1)
	go func() {
		defer db.calls.Done()
		defer cancel()
		err := process(bounded, sent)
		db.lookAround(bounded, err)
		done <- err
	}()
	select {
	case err := <-done:
		return outcome(ctx, sent, err)
	case <-bounded.Done():
	}
	select {
	case err := <-done: // which ended the context itself
		return outcome(ctx, sent, err)
	default:
		return nil, unavailable(cause(ctx, bounded.Err()))
	}
}

// lookAround has the client of a Cluster ask anew who has which slots when a command
// failed: the node may be dead, and its replica have taken over. By itself
// go-redis asks once a minute, or when it sends a command again, which it may not.
func (db *DB) lookAround(ctx context.Context, err error) {
	if err == nil || errors.Is(err, goredis.Nil) || isNoScript(err) {
		return
	}
	if cluster, ok := db.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(ctx) // soon, and not more than a few times a second
	}
}

// outcome is what a command that has ended came to.
func outcome(ctx context.Context, sent once, err error) (any, error) {
	switch {
	case errors.Is(err, goredis.Nil):
		return nil, nil
	case err != nil:
		return nil, unavailable(cause(ctx, err))
	}
	return sent.Val(), nil
}

// cause is the context's error when that has ended, which shows first as a
// deadline of the connection.
func cause(ctx context.Context, err error) error {
	deadline, bounded := ctx.Deadline()
	timeout := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case timeout && bounded && !time.Now().Before(deadline):
		return context.DeadlineExceeded
	case timeout:
		return errors.New("the server does not answer in time")
	}
	return err
}

// isNoScript reports whether the server does not know a script, and so has not
// run it.
func isNoScript(err error) bool {
	return err != nil && strings.Contains(err.Error(), "NOSCRIPT")
}
