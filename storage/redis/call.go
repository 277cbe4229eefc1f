package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// callTimeout bounds a call, including the search for the primary, connecting, and
// following a slot to another node. replicaTimeout bounds the wait for replicas; it
// is shorter than the read timeout of a connection.
const (
	callTimeout    = 5 * time.Second
	replicaTimeout = time.Second
)

// Bounds of a lane: pipelines in flight, and commands in one pipeline.
const (
	maxPipelines = 2
	maxPipeline  = 128
)

var (
	errClosed      = errors.New("the store is closed")
	errDamagedUser = damaged("user")
	errUnexpected  = unavailable(errors.New("unexpected response from the server"))
)

// lane sends commands of one realm, all of which go to one server. Commands that
// arrive while others are in flight share a pipeline: the server then needs fewer
// system calls, and fewer syncs of its log.
type lane struct {
	mu      sync.Mutex
	queue   []*call
	running int
}

// call is a command in a lane. If it waits for replicas, it is in the lane of such
// commands. Its done channel receives the outcome.
type call struct {
	once
	ctx   context.Context //nolint:containedctx // ends with the call
	waits bool
	done  chan error
}

// once is a command that is never repeated by the library. A connection may break
// after the command was performed: a link that is taken again is gone, and its
// owner would be told that it never existed.
type once struct{ *goredis.Cmd }

// NoRetry overrides the default of the library.
func (once) NoRetry() bool { return true }

// do sends one command and returns its result, nil for none. Its errors wrap
// [authcore.ErrUnavailable]. The library observes the deadline of a context but not
// its cancellation, so the command runs in a goroutine of the lane, which ends
// after the timeout of a call at the latest.
func (s *Store) do(ctx context.Context, writes bool, command []any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if err := s.db.begin(); err != nil {
		return nil, err
	}
	defer s.db.calls.Done()
	bounded, cancel := context.WithTimeout(ctx, s.db.timeout)
	defer cancel()
	c := &call{once{goredis.NewCmd(bounded, command...)}, bounded, writes && s.db.replicas > 0, make(chan error, 1)}
	c.SetFirstKeyPos(3)
	if c.waits {
		s.enqueue(&s.waiting, c) //nolint:contextcheck // a pipeline serves several callers
	} else {
		s.enqueue(&s.direct, c) //nolint:contextcheck // a pipeline serves several callers
	}
	select {
	case err := <-c.done:
		if err != nil {
			return nil, unavailable(cause(ctx, err))
		}
		return c.Val(), nil
	case <-bounded.Done():
		return nil, unavailable(cause(ctx, bounded.Err()))
	}
}

func (s *Store) enqueue(l *lane, c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, c)
	if l.running < maxPipelines {
		l.running++
		s.db.calls.Add(1) // the caller is registered, so Close is still waiting
		go s.drain(l)
	}
}

// drain sends pipelines until the queue is empty. Callers that the last pipeline
// answered may be about to send their next command; one yield lets them join.
func (s *Store) drain(l *lane) {
	defer s.db.calls.Done()
	for {
		runtime.Gosched()
		l.mu.Lock()
		n := min(len(l.queue), maxPipeline)
		batch := l.queue[:n:n]
		if l.queue = l.queue[n:]; n == 0 {
			l.queue = nil
			l.running--
		}
		l.mu.Unlock()
		if n == 0 {
			return
		}
		s.send(batch)
	}
}

// send performs the commands of callers that are still waiting.
func (s *Store) send(batch []*call) {
	var commands []goredis.Cmder
	var waiting []*call
	for _, c := range batch {
		if c.ctx.Err() == nil {
			commands, waiting = append(commands, c), append(waiting, c)
		}
	}
	if len(waiting) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(waiting[0].ctx), s.db.timeout)
	defer cancel()
	err := kv.Recover("client", func() error { return s.pipeline(ctx, commands, waiting[0].waits) })
	for _, c := range waiting {
		outcome := cmp.Or(c.Err(), err)
		if errors.Is(outcome, goredis.Nil) {
			outcome = nil
		}
		if outcome != nil && !isNoScript(outcome) {
			s.db.reloadCluster(ctx)
		}
		c.done <- outcome
	}
}

// pipeline returns an error that applies to all commands; the others are in the
// commands. If changes have to reach replicas, one WAIT follows on the same
// connection: Redis waits for what that connection wrote.
func (s *Store) pipeline(ctx context.Context, commands []goredis.Cmder, waits bool) (err error) {
	var client goredis.Cmdable = s.db.client
	var waited *goredis.IntCmd
	if waits {
		if cluster, ok := client.(*goredis.ClusterClient); ok {
			if client, err = cluster.MasterForKey(ctx, s.key("meta")); err != nil {
				return err
			}
		}
		waited = goredis.NewIntCmd(ctx, "wait", s.db.replicas, s.db.replicaTimeout.Milliseconds())
		commands = append(commands, waited)
	}
	pipe := client.Pipeline()
	if err := pipe.BatchProcess(ctx, commands...); err != nil {
		return err
	}
	_, _ = pipe.Exec(ctx) // the commands have the errors
	if waited == nil {
		return nil
	}
	have, err := waited.Result()
	if err == nil && have < int64(s.db.replicas) {
		err = fmt.Errorf("%d of %d replicas have the change", have, s.db.replicas)
	}
	return err
}

// reloadCluster makes the client of a Cluster look up the slots again: the node may
// be dead and its replica in charge. By itself the library does so once a minute.
func (db *DB) reloadCluster(ctx context.Context) {
	if cluster, ok := db.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(ctx) // bounded by the library to a few times a second
	}
}

// cause returns the context's error if the context ended, which appears first as a
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
		return errors.New("the server does not respond in time")
	}
	return err
}

// isNoScript reports whether the server does not have the script and therefore did
// not run it.
func isNoScript(err error) bool { return err != nil && strings.Contains(err.Error(), "NOSCRIPT") }

// unavailable wraps an error of the engine or of the context.
func unavailable(err error) error {
	return fmt.Errorf("redis: %w: %w", authcore.ErrUnavailable, err)
}

// damaged reports an item that cannot be decoded. It does not cite the item.
func damaged(item string) error { return unavailable(fmt.Errorf("%s: %w", item, authcore.ErrDamaged)) }
