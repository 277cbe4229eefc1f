package servertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Command says how a server is started.
type Command struct {
	// Path of the program, and its arguments.
	Path string
	Args []string
	// Dir is where it runs and where its log is written.
	Dir string
	// Credential is the user it runs as, nil for that of the test.
	Credential *syscall.Credential
	// Ready reports whether the server serves. It must not block for long.
	Ready func(ctx context.Context) bool
}

// Process is a server that can be started again. Its methods are for one goroutine
// at a time.
type Process struct {
	command Command
	log     string

	mu      sync.Mutex
	running *exec.Cmd
	exited  chan struct{}
}

// Start starts a server and waits until it is ready. It is killed at the end of
// the test, and what it wrote is shown when the test failed.
func Start(tb testing.TB, command Command) *Process {
	tb.Helper()
	p := New(tb, command)
	p.Start(tb)
	return p
}

// New is Start without starting.
func New(tb testing.TB, command Command) *Process {
	tb.Helper()
	p := &Process{command: command, log: filepath.Join(command.Dir, filepath.Base(command.Path)+".log")}
	tb.Cleanup(func() {
		p.Kill(tb)
		if tb.Failed() {
			tb.Logf("%s:\n%s", p.log, p.tail())
		}
	})
	return p
}

// Start starts a server that does not run and waits until it is ready.
func (p *Process) Start(tb testing.TB) {
	tb.Helper()
	if err := p.TryStart(tb); err != nil {
		tb.Fatal(err)
	}
}

// TryStart is Start that returns why it failed, for a server whose port may have
// been taken by somebody else.
func (p *Process) TryStart(tb testing.TB) error {
	tb.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.command.Path, p.command.Args...) //nolint:gosec,noctx // a test says what; it outlives no test
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.command.Dir, log, log, attributes(p.command.Credential)
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // tests kill it
	}()
	p.mu.Lock()
	p.running, p.exited = cmd, exited
	p.mu.Unlock()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !p.command.Ready(tb.Context()) {
		select {
		case <-look.C:
		case <-exited:
			return errors.New(p.command.Path + " ended by itself:\n" + p.tail())
		case <-deadline.C:
			return errors.New(p.command.Path + " does not serve:\n" + p.tail())
		}
	}
	return nil
}

// Stop asks the server to end and waits until it has.
func (p *Process) Stop(tb testing.TB) { p.end(tb, syscall.SIGTERM) }

// Interrupt is Stop by SIGINT, which some servers take for more of a hurry.
func (p *Process) Interrupt(tb testing.TB) { p.end(tb, os.Interrupt) }

// Kill ends the server at once (SIGKILL). One that does not run stays so.
func (p *Process) Kill(tb testing.TB) { p.end(tb, os.Kill) }

// Pause freezes the server (SIGSTOP): its connections stay, and nobody answers.
func (p *Process) Pause(tb testing.TB) { p.signal(tb, stopSignal) }

// Resume lets a frozen server go on (SIGCONT).
func (p *Process) Resume(tb testing.TB) { p.signal(tb, continueSignal) }

func (p *Process) end(tb testing.TB, by os.Signal) {
	tb.Helper()
	if !p.signal(tb, by) {
		return
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.running.Process.Kill()
		tb.Errorf("%s does not end", p.command.Path)
	}
}

// signal reports whether there was a process to send the signal to.
func (p *Process) signal(tb testing.TB, signal os.Signal) bool {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return false
	}
	err := p.running.Process.Signal(signal)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Errorf("signal %s: %v", signal, err)
	}
	return true
}

// tail returns the end of the log.
func (p *Process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
