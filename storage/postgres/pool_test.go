package postgres

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// As many connections as fit beside those of other nodes, unless somebody says how
// many.
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
		t.Errorf("in a database that allows 20: %d connections", got)
	}
	roomy := pgtest.Start(t, "max_connections=80")
	if got := openDSN(t, roomy.Database(t)).pool.Config().MaxConns; got != defaultConnections {
		t.Errorf("on a server with room: %d connections", got)
	}
}

// The server is there again, at the same address, and the connections that were
// made before lead nowhere: nothing comes back on them, and nothing says so. That
// they are many must not matter, because a node hears of no logout meanwhile.
func TestConnectionsThatLeadNowhere(t *testing.T) {
	const connections = 8
	server := pgtest.Start(t)
	through := servertest.NewProxy(t, server.Address())
	dsn := server.Through(server.Database(t), through.Address())
	db := openDSN(t, dsn, WithMaxConnections(connections))
	db.timeout = 5 * time.Second // of which a busy machine needs some to connect
	store := realm(t, db, "main")
	idle := make(chan struct{}, connections)
	begin := make(chan struct{})
	for range connections { // each on a connection of its own
		conn, err := db.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-begin
			conn.Release()
			idle <- struct{}{}
		}()
	}
	close(begin)
	for range connections {
		<-idle
	}
	through.Deafen()
	defer through.Cut() // or Close would wait for the server to say goodbye
	// Idle for long enough to be asked, or not: at most one call finds out by waiting.
	tries := 0
	servertest.Eventually(t, "the store is used again", func() bool {
		tries++
		_, _, err := store.RevocationsSince(t.Context(), "")
		return err == nil
	})
	if tries > 2 {
		t.Errorf("it took %d tries", tries)
	}
}
