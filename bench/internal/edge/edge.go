package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Limits on how long things take.
const (
	startLimit = 2 * time.Minute
	stopLimit  = 15 * time.Second
	pollEvery  = 2 * time.Millisecond
)

// Edge is a running server.
type Edge struct {
	// Address of its site, Admin of its admin API.
	Address, Admin string
	// Startup is the time from the start of the process to its first good
	// answer.
	Startup time.Duration

	cmd    *exec.Cmd
	done   chan struct{}
	output bytes.Buffer // to be read after done
}

// Options describe an Edge.
type Options struct {
	// Binary is the server.
	Binary string
	// Dir is an empty folder of its own.
	Dir string
	// Options and Site are the global options and the directives of the one
	// site, Caddyfile text.
	Options, Site string
	// Authorization goes into the request that tells when the server is ready.
	Authorization string
	// Path of that request; it must be answered with 200.
	Path string
}

// Start starts a server and waits until it answers.
func Start(ctx context.Context, o Options) (*Edge, error) {
	address, admin, err := twoPorts(ctx)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	grace_period 1s
	log {
		level ERROR
	}
	%s
}
http://:%s {
	bind 127.0.0.1
	%s
}
`, admin, o.Options, port, o.Site)
	file := filepath.Join(o.Dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	e := &Edge{Address: address, Admin: admin, done: make(chan struct{})}
	e.cmd = exec.CommandContext(ctx, o.Binary, "run", "--config", file, "--adapter", "caddyfile") //nolint:gosec // the binary under test
	e.cmd.Dir = o.Dir
	e.cmd.Env = append(os.Environ(), "HOME="+o.Dir, "XDG_DATA_HOME="+o.Dir, "XDG_CONFIG_HOME="+o.Dir)
	e.cmd.Stdout, e.cmd.Stderr = &e.output, &e.output
	began := time.Now()
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = e.cmd.Wait() // the output tells why it ended
		close(e.done)
	}()
	if err := e.awaitReady(ctx, o); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	e.Startup = time.Since(began)
	return e, nil
}

// awaitReady asks until the answer is 200.
func (e *Edge) awaitReady(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		status, err := e.ask(ctx, o)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-e.done:
			return fmt.Errorf("the edge ended: %s", e.tail())
		case <-ctx.Done():
			return fmt.Errorf("the edge is not ready, its last answer was %d: %w", status, errors.Join(err, ctx.Err()))
		case <-ticker.C:
		}
	}
}

func (e *Edge) ask(ctx context.Context, o Options) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.Address+o.Path, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Close = true
	if o.Authorization != "" {
		request.Header.Set("Authorization", o.Authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// Stop ends the process and waits for it.
func (e *Edge) Stop() error {
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-e.done:
		return nil
	case <-timer.C:
		return e.cmd.Process.Kill()
	}
}

func (e *Edge) tail() string {
	lines := strings.Split(strings.TrimSpace(e.output.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

func (e *Edge) pid() int { return e.cmd.Process.Pid }

// twoPorts returns two addresses of the loopback interface that were free just
// now.
func twoPorts(ctx context.Context) (first, second string, err error) {
	var config net.ListenConfig
	one, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer one.Close() // after the other was found, so that they differ
	other, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer other.Close()
	return one.Addr().String(), other.Addr().String(), nil
}

// proc returns the path of a file about the process in /proc.
func (e *Edge) proc(name string) string {
	return fmt.Sprintf("/proc/%d/%s", e.pid(), name)
}
