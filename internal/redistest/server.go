package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// Server is one process of redis-server on the loopback interface.
type Server struct {
	*servertest.Process
	Port int
	// Username and Password log in an ACL user, in the form for a URL, or are "".
	Username, Password string
	// CertificateFile is the PEM of the server's certificate, which is its own
	// authority, and KeyFile that of its key; "" for a server without TLS.
	CertificateFile, KeyFile string

	secure *tls.Config
}

// Start starts a server with lines of configuration that add to or replace the
// usual ones, for example "appendonly no".
func Start(tb testing.TB, lines ...string) *Server {
	tb.Helper()
	s := &Server{}
	s.start(tb, lines)
	return s
}

// start starts redis-server with the usual lines and these.
func (s *Server) start(tb testing.TB, lines []string) {
	tb.Helper()
	s.startProgram(tb, servertest.Find(tb, "redis-server"), append([]string{
		`save ""`, "appendonly yes", "appendfsync always", "repl-diskless-sync-delay 0",
	}, lines...))
}

// startProgram selects ports until the server starts: another process may take a
// port between the selection and the start.
func (s *Server) startProgram(tb testing.TB, program string, lines []string) {
	tb.Helper()
	var err error
	for range 5 {
		s.Port = servertest.FreePort(tb)
		dir := tb.TempDir()
		port := "port " + strconv.Itoa(s.Port)
		if s.secure != nil {
			port = "port 0\ntls-port " + strconv.Itoa(s.Port)
		}
		usual := []string{port, "bind 127.0.0.1", "dir " + dir}
		path := filepath.Join(dir, "redis.conf")
		text := strings.Join(append(usual, lines...), "\n") + "\n"
		if err = os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatalf("writing the configuration failed: %v", err)
		}
		s.Process = servertest.New(tb, servertest.Command{Path: program, Args: []string{path}, Dir: dir, Ready: s.ready})
		if err = s.TryStart(tb); err == nil {
			return
		}
	}
	tb.Fatalf("starting %s failed: %v", program, err)
}

// Address returns host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL returns the URL for the store, which contains the password.
func (s *Server) URL() string {
	scheme, user := "redis", ""
	if s.secure != nil {
		scheme = "rediss"
	}
	if s.Username != "" {
		user = s.Username + ":" + s.Password + "@"
	}
	return scheme + "://" + user + s.Address() + "/0"
}

// Client returns a client with all rights. The caller closes it.
func (s *Server) Client() *goredis.Client {
	return goredis.NewClient(&goredis.Options{
		Addr: s.Address(), Password: s.adminPassword(), TLSConfig: s.secure, Protocol: 2, DisableIdentity: true,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: 5 * time.Second, PipelinePoolSize: -1,
	})
}

// Do sends a command with all rights and returns the response, nil for none. If it
// fails, so does the test.
func (s *Server) Do(tb testing.TB, command ...any) any {
	tb.Helper()
	client := s.Client()
	defer client.Close()
	value, err := client.Do(lasting(tb), command...).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		tb.Fatalf("command %v failed: %v", command[0], err)
	}
	return value
}

// info returns a field of INFO, "" if it is missing or the server does not respond.
func (s *Server) info(ctx context.Context, field string) string {
	client := s.Client()
	defer client.Close()
	text, err := client.Info(ctx).Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found && name == field {
			return value
		}
	}
	return ""
}

// ready reports whether the server serves; while it reads its files it does not.
func (s *Server) ready(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address())
	if err != nil {
		return false // go-redis would log it
	}
	_ = conn.Close()
	return s.info(ctx, "redis_version") != "" && s.info(ctx, "loading") != "1"
}

// lasting returns a context that remains valid in the cleanup of a test.
func lasting(tb testing.TB) context.Context {
	tb.Helper()
	return context.WithoutCancel(tb.Context())
}

const adminPassword = "password-of-the-administrator"

func (s *Server) adminPassword() string {
	if s.Username == "" {
		return ""
	}
	return adminPassword
}

// Secure starts a server that accepts only TLS and has a user with ACL rules such as
// "~edgeauth:* &edgeauth:* -@all +get".
func Secure(tb testing.TB, rules string, lines ...string) *Server {
	tb.Helper()
	certificate := newCertificate(tb)
	s := &Server{
		Username: "edge", Password: "p%40ss%2Fw", CertificateFile: certificate.file, KeyFile: certificate.keyFile,
		secure: certificate.client,
	}
	s.start(tb, append([]string{
		"tls-cert-file " + certificate.file, "tls-key-file " + certificate.keyFile,
		"tls-ca-cert-file " + certificate.file, "tls-auth-clients no",
		"user default on >" + adminPassword + " ~* &* +@all",
		fmt.Sprintf("user %s on >p@ss/w resetchannels resetkeys %s", s.Username, rules),
	}, lines...))
	return s
}
