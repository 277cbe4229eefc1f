package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/edgeauth/edgeauth/internal/process"
)

// templateVariable names the folder in which Main keeps the files of an empty
// server.
const templateVariable = "EDGEAUTH_PGTEST_TEMPLATE"

// Main runs the tests of a package, whose servers share one initdb:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pg-template-")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pgtest:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv(templateVariable, dir); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pgtest:", err)
		return 1
	}
	return m.Run()
}

// initialize fills the data directory.
func (s *Server) initialize(tb testing.TB, bin string) {
	tb.Helper()
	template := os.Getenv(templateVariable)
	if template == "" {
		s.initdb(tb, bin, s.Data)
		return
	}
	empty := filepath.Join(template, "data")
	if _, err := os.Stat(empty); err != nil { //nolint:gosec // the folder is that of Main
		if s.uid != 0 {
			if err := os.Chown(template, int(s.uid), int(s.gid)); err != nil { //nolint:gosec // as above
				tb.Fatal(err)
			}
		}
		s.initdb(tb, bin, empty)
	}
	s.run(tb, "cp", "-a", empty, s.Data)
}

func (s *Server) initdb(tb testing.TB, bin, data string) {
	tb.Helper()
	s.run(tb, filepath.Join(bin, "initdb"), "--pgdata="+data, "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

func (s *Server) run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), name, args...) //nolint:gosec // the programs of the server
	cmd.Dir, cmd.SysProcAttr = s.SocketDir, process.Attributes(s.uid, s.gid)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// unprivileged returns the user of the server, which refuses to run as root; 0 is
// the user of the test.
func unprivileged(tb testing.TB) (uid, gid uint32) {
	tb.Helper()
	if os.Getuid() != 0 {
		return 0, 0
	}
	for _, name := range []string{superuser, "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		user, _ := strconv.ParseUint(found.Uid, 10, 32)
		group, _ := strconv.ParseUint(found.Gid, 10, 32)
		return uint32(user), uint32(group)
	}
	tb.Fatal("there is no user to run PostgreSQL as; create one named \"nobody\"")
	return 0, 0
}
