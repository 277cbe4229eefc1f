package postgres

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// The pool leaves room for other nodes, unless an option sets its size.
func TestPoolSize(t *testing.T) {
	server := pgtest.Start(t, "max_connections=40")
	dsn := server.Database(t)
	for _, test := range []struct {
		name, dsn string
		options   []Option
		want      int32
	}{
		{"a quarter", dsn, nil, 10},
		{"the option", dsn, []Option{WithMaxConnections(3)}, 3},
		{"the DSN", dsn + "&pool_max_conns=5", nil, 5},
		{"the option before the DSN", dsn + "&pool_max_conns=5", []Option{WithMaxConnections(3)}, 3},
	} {
		if got := openDSN(t, test.dsn, test.options...).pool.Config().MaxConns; got != test.want {
			t.Errorf("%s: %d connections, want %d", test.name, got, test.want)
		}
	}
	pgtest.Exec(t, dsn, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 20', current_database()); END $$`)
	if got := openDSN(t, dsn).pool.Config().MaxConns; got != 5 {
		t.Errorf("in a database that allows 20: %d connections, want 5", got)
	}
	roomy := pgtest.Start(t, "max_connections=200")
	if got := openDSN(t, roomy.Database(t)).pool.Config().MaxConns; got != defaultConnections {
		t.Errorf("on a server with room: %d connections, want %d", got, defaultConnections)
	}
}

// The server is back at the same address, and the old connections lead to nothing:
// packets are lost and no error is reported. Their number must not matter, because a
// node gets no revocations meanwhile.
func TestSilentConnections(t *testing.T) {
	const connections = 8
	server := pgtest.Start(t)
	through := servertest.NewProxy(t, server.Address())
	dsn := server.Through(server.Database(t), through.Address())
	db := openDSN(t, dsn, WithMaxConnections(connections))
	db.timeout = 5 * time.Second // a busy machine needs some of it to connect
	store := realm(t, db, "main")
	fillPool(t, db, connections)
	through.Deafen()
	defer through.Cut() // otherwise Close waits for the server
	// At most one call waits for an answer, whether or not connections are checked.
	tries := 0
	servertest.Eventually(t, "the store is used again", func() bool {
		tries++
		return isUp(t, store)
	})
	if tries > 2 {
		t.Errorf("%d calls until one succeeded, want at most 2", tries)
	}
}
