package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// faults breaks connections of a pool at a chosen message.
type faults struct {
	mu sync.Mutex
	// left counts the messages until the next one breaks its connection; negative
	// if none does.
	left int
	// before loses the message; otherwise the server executes it, and its answer is
	// lost.
	before bool
	// all breaks the connections of all later messages, too.
	all    bool
	broken int
}

// arm breaks the connection that sends the n-th message from now on, counted from
// zero.
func (f *faults) arm(n int, before, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.before, f.all, f.broken = n, before, all, 0
}

// disarm returns the number of connections that were broken.
func (f *faults) disarm() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.all = -1, false
	return f.broken
}

// hit reports whether this message breaks its connection.
func (f *faults) hit() (hit, before bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left >= 0 {
		f.left--
		if f.left >= 0 {
			return false, false
		}
	} else if !f.all {
		return false, false
	}
	f.broken++
	return true, f.before
}

// faultyConn is a connection that f breaks.
type faultyConn struct {
	net.Conn
	f *faults

	mu     sync.Mutex
	doomed bool
}

var errCut = errors.New("connection cut by the test")

func (c *faultyConn) Write(message []byte) (int, error) {
	hit, before := c.f.hit()
	if hit && before {
		_ = c.Close()
		return 0, errCut
	}
	if hit {
		c.mu.Lock()
		c.doomed = true
		c.mu.Unlock()
	}
	return c.Conn.Write(message)
}

func (c *faultyConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doomed && err == nil { // the server has answered, so it has executed the message
		_ = c.Close()
		return 0, errCut
	}
	return n, err
}

// withFaults replaces the pools of a database by one that f breaks.
func withFaults(tb testing.TB, db *DB) *faults {
	tb.Helper()
	f := &faults{left: -1}
	config := db.pool.Config()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &faultyConn{Conn: conn, f: f}, nil
	}
	pool, err := pgxpool.NewWithConfig(tb.Context(), config)
	if err != nil {
		tb.Fatalf("making a pool: %v", err)
	}
	tb.Cleanup(pool.Close)
	db.pool.Close()
	db.feed.Close()
	db.pool, db.feed = pool, pool
	return f
}
