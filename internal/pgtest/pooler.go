package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// Pooler starts a PgBouncer in transaction mode in front of the server and returns its
// address: a connection may serve another client after each transaction.
func (s *Server) Pooler(tb testing.TB) (address string) {
	tb.Helper()
	program := servertest.Find(tb, "pgbouncer", "/usr/sbin")
	dir := s.folder(tb)
	port := servertest.FreePort(tb)
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	config := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
`, s.Port, superuser, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil { //nolint:gosec // another user reads it
		tb.Fatal(err)
	}
	servertest.Start(tb, servertest.Command{
		Path: program, Args: []string{config}, Dir: dir, UID: s.uid, GID: s.gid,
		Ready: func(ctx context.Context) bool {
			conn, err := pgx.Connect(ctx, DSN(address, superuser, "postgres"))
			return err == nil && conn.Close(ctx) == nil
		},
	})
	return address
}
