package edge

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/process"
)

// Timeouts of the process. They are generous, for a loaded machine: a test that
// passes does not wait for them.
const (
	startLimit   = 2 * time.Minute
	stopLimit    = time.Minute
	commandLimit = 2 * time.Minute
)

// Edge is one edgeauth process after the other on one data directory. Its
// methods are for one goroutine, except Log.
type Edge struct {
	// URL of the site, without a slash at the end.
	URL string
	// Port is the port in URL.
	Port int
	// Admin is the address of Caddy's admin API, host and port.
	Admin string
	// Dir holds the Caddyfile and everything that the process stores.
	Dir string
	// Log contains the output of all processes.
	Log *Log

	binary  string
	env     []string
	process *process.Process
}

// New prepares a data directory and picks ports. Env is added to the small
// environment of the process; of two values of one variable the last one counts.
func New(t testing.TB, binary string, env ...string) *Edge {
	t.Helper()
	e := &Edge{
		Port:   FreePort(t),
		Admin:  "127.0.0.1:" + strconv.Itoa(FreePort(t)),
		Dir:    t.TempDir(),
		Log:    &Log{},
		binary: binary,
	}
	e.URL = "http://127.0.0.1:" + strconv.Itoa(e.Port)
	e.env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + e.Dir,
		"XDG_DATA_HOME=" + filepath.Join(e.Dir, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(e.Dir, "config"),
		"TMPDIR=" + e.Dir,
		"CADDY_ADMIN=" + e.Admin,
	}, env...)
	t.Cleanup(func() {
		if e.process != nil {
			e.Kill(t)
		}
		if t.Failed() {
			t.Logf("the end of the log of the edge:\n%s", e.Log.Tail(15))
		}
	})
	return e
}

// Configure writes the Caddyfile. A running process does not notice.
func (e *Edge) Configure(t testing.TB, caddyfile string) {
	t.Helper()
	if err := os.WriteFile(e.caddyfile(), []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Setenv adds to the environment of processes that are started from now on.
func (e *Edge) Setenv(env ...string) { e.env = append(e.env, env...) }

func (e *Edge) caddyfile() string { return filepath.Join(e.Dir, "Caddyfile") }

// Start starts the process with the Caddyfile and waits until its site answers.
func (e *Edge) Start(t testing.TB) {
	t.Helper()
	e.Run(t, "run", "--config", e.caddyfile(), "--adapter", "caddyfile")
}

// Run is Start with another command line.
func (e *Edge) Run(t testing.TB, args ...string) {
	t.Helper()
	started, err := process.Start(t.Context(), process.Options{
		Path: e.binary, Args: args, Dir: e.Dir, Env: e.env, Output: e.Log,
		Ready: func(context.Context) bool { return e.answers() }, Timeout: startLimit,
	})
	if err != nil {
		t.Fatalf("start: %v\n%s", err, e.Log.Tail(20))
	}
	e.process = started
}

func (e *Edge) answers() bool {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(e.URL + "/v1/auth/.well-known/jwks.json")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}

// Stop ends the process as service managers do, and fails the test when it does
// not end well and in time.
func (e *Edge) Stop(t testing.TB) {
	t.Helper()
	if err := e.process.Stop(syscall.SIGTERM, stopLimit); err != nil {
		t.Errorf("stop: %v", err)
	}
	e.process = nil
}

// Kill ends the process without warning (SIGKILL).
func (e *Edge) Kill(testing.TB) {
	e.process.Kill()
	e.process = nil
}

// Started reports whether the process was started and neither stopped nor killed
// since; it may have ended by itself.
func (e *Edge) Started() bool { return e.process != nil }

// Reload makes the running process load the Caddyfile.
func (e *Edge) Reload(t testing.TB) error {
	t.Helper()
	return e.Command(t, "reload", "--config", e.caddyfile(), "--adapter", "caddyfile", "--address", e.Admin, "--force")
}

// Validate checks the Caddyfile as an operator does before a reload.
func (e *Edge) Validate(t testing.TB) error {
	t.Helper()
	return e.Command(t, "validate", "--config", e.caddyfile(), "--adapter", "caddyfile")
}

// Command runs a subcommand; its error holds what it printed.
func (e *Edge) Command(t testing.TB, args ...string) error {
	t.Helper()
	output, err := e.Output(t, args...)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, output)
	}
	return nil
}

// Output runs a subcommand and returns all that it printed.
func (e *Edge) Output(t testing.TB, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	var output bytes.Buffer
	cmd := e.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	return output.String(), err
}

// Check tries everything that the Caddyfile depends on, as an operator does
// while the server runs, and returns what was printed.
func (e *Edge) Check(t testing.TB) (string, error) {
	t.Helper()
	return e.Output(t, "edgeauth", "check", "--config", e.caddyfile(), "--adapter", "caddyfile")
}

func (e *Edge) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.binary, args...)
	cmd.Dir, cmd.Env = e.Dir, e.env
	return cmd
}

// RSS returns the resident memory of the process in bytes (proc(5), VmRSS).
func (e *Edge) RSS(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.process.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatal("/proc has no VmRSS of the process")
	return 0
}
