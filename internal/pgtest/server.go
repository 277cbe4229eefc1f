package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// programs lists the folders in which systems install the programs of the server.
var programs = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"}

const superuser = "postgres"

// Server is one PostgreSQL server.
type Server struct {
	process *servertest.Process
	// Port on 127.0.0.1.
	Port int
	// Data is the directory with its files.
	Data string
	// SocketDir is the directory of its socket.
	SocketDir string

	// uid and gid, if uid is not zero, are the user of the server.
	uid, gid uint32
}

// Start starts a server with settings in addition to or instead of the usual ones, for
// example "fsync=on". It is killed at the end of the test.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	program := servertest.Find(tb, "postgres", programs...)
	s := &Server{}
	s.uid, s.gid = unprivileged(tb)
	dir := s.folder(tb)
	s.Data, s.SocketDir = filepath.Join(dir, "data"), dir
	program, err := filepath.EvalSymlinks(program) // the others are in the same directory
	if err != nil {
		tb.Fatal(err)
	}
	s.initialize(tb, filepath.Dir(program))
	for range 5 { // another process may take the port in between
		s.Port = servertest.FreePort(tb)
		s.process = servertest.New(tb, servertest.Command{
			Path: program, Args: s.arguments(settings), Dir: dir, UID: s.uid, GID: s.gid, Ready: s.ready,
		})
		if err = s.process.TryStart(tb); err == nil {
			return s
		}
	}
	tb.Fatal(err)
	return nil
}

// folder makes a folder with a short path, as a socket needs it, that the server's
// user may enter. The folders of tb.TempDir belong to the user of the test.
func (s *Server) folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "pg-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("remove the server's files: %v", err)
		}
	})
	if s.uid != 0 {
		if err := os.Chown(dir, int(s.uid), int(s.gid)); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func (s *Server) arguments(settings []string) []string {
	usual := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.Port), "unix_socket_directories=" + s.SocketDir,
		"max_connections=200", "shared_buffers=32MB", "fsync=off", "full_page_writes=off",
		"log_min_messages=fatal", "log_min_error_statement=panic", "autovacuum=off", "timezone=Asia/Kathmandu",
	}
	arguments := []string{"-D", s.Data}
	for _, setting := range append(usual, settings...) {
		arguments = append(arguments, "-c", setting)
	}
	return arguments
}

func (s *Server) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// Address is host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// DSN names a database as the superuser, over TCP. Any password will do.
func (s *Server) DSN(database string) string { return DSN(s.Address(), superuser, database) }

// DSN names a database at an address, which may be that of a proxy.
func DSN(address, user, database string) string {
	return fmt.Sprintf("postgres://%s:secret-of-the-database@%s/%s?sslmode=disable", user, address, database)
}

// Database makes a new database and returns its DSN.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := "test_" + rand.Text()[:12]
	s.Exec(tb, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return s.DSN(name)
}

// Through returns a DSN of Database with the address of a proxy in it.
func (s *Server) Through(dsn, address string) string {
	return strings.Replace(dsn, s.Address(), address, 1)
}

// Exec runs statements in a database as the superuser.
func (s *Server) Exec(tb testing.TB, database string, statements ...string) {
	tb.Helper()
	Exec(tb, s.DSN(database), statements...)
}

// Exec runs statements in the database of a DSN.
func Exec(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}
