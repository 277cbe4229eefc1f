package servertest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/edgeauth/edgeauth/internal/process"
)

// Command describes a server to run.
type Command struct {
	// Path of the program, and its arguments.
	Path string
	Args []string
	// Dir is its working directory and contains its log.
	Dir string
	// UID and GID, if UID is not zero, are the user that it runs as.
	UID, GID uint32
	// Ready reports whether the server serves. It must not block for long.
	Ready func(ctx context.Context) bool
}

// Process is a server that can be started again. Its methods are for one goroutine
// at a time.
type Process struct {
	command Command
	log     string
	running *process.Process
}

// Start starts a server and waits until it is ready. It is killed at the end of the
// test, and its log is shown if the test failed.
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
		tb.Fatalf("start: %v\n%s", err, p.tail())
	}
}

// TryStart is Start that returns the error, for a server whose port may be taken.
func (p *Process) TryStart(tb testing.TB) error {
	tb.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.running, err = process.Start(tb.Context(), process.Options{
		Path: p.command.Path, Args: p.command.Args, Dir: p.command.Dir, Output: log,
		UID: p.command.UID, GID: p.command.GID, Ready: p.command.Ready, Timeout: patience,
	})
	return err
}

// Stop asks the server to end and waits until it has.
func (p *Process) Stop(tb testing.TB) { p.end(tb, syscall.SIGTERM) }

// Interrupt is Stop by SIGINT, which some servers take as more urgent.
func (p *Process) Interrupt(tb testing.TB) { p.end(tb, os.Interrupt) }

// Kill ends the server immediately (SIGKILL). A server that does not run stays so.
func (p *Process) Kill(testing.TB) {
	if p.running != nil {
		p.running.Kill()
	}
}

// Pause freezes the server (SIGSTOP): its connections stay and nothing answers.
func (p *Process) Pause(tb testing.TB) { p.signal(tb, StopSignal) }

// Resume continues a frozen server (SIGCONT).
func (p *Process) Resume(tb testing.TB) { p.signal(tb, ContinueSignal) }

func (p *Process) end(tb testing.TB, by os.Signal) {
	tb.Helper()
	if p.running == nil {
		return
	}
	if err := p.running.Stop(by, patience); err != nil && strings.Contains(err.Error(), "did not end") {
		tb.Errorf("stop: %v", err)
	}
}

func (p *Process) signal(tb testing.TB, signal os.Signal) {
	tb.Helper()
	if p.running == nil {
		return
	}
	if err := p.running.Signal(signal); err != nil {
		tb.Errorf("signal: %v", err)
	}
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
