package e2e

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// binary is the server under test, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "edgeauth-e2e-")
	if err != nil {
		return complain("make a folder", err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "edgeauth")
	if err := build(binary); err != nil {
		return complain("build the server", err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the OpenID provider reports every refusal
	status := m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			return complain("end all goroutines", err)
		}
	}
	return status
}

func build(output string) error {
	// The flags of a release, so that the same code is tested and compiled once.
	args := []string{"build", "-modfile=newest.mod", "-trimpath", "-tags=nobadger,nomysql,nopgx", "-o", output}
	env := append(os.Environ(), "CGO_ENABLED=0")
	if os.Getenv("E2E_RACE") == "1" {
		args, env = append(args, "-race"), os.Environ()
	}
	cmd := exec.Command("go", append(args, "./cmd/edgeauth")...)
	cmd.Dir, cmd.Env = "..", env
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

func complain(what string, err error) int {
	_, _ = fmt.Fprintf(os.Stderr, "e2e: cannot %s: %v\n", what, err)
	return 1
}

// missing skips a test that needs a tool that is not installed. In CI it fails the
// test.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf("NOT TESTED: "+format, args...)
}
