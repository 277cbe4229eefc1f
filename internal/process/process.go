package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// pollInterval separates two calls of Options.Ready.
const pollInterval = 5 * time.Millisecond

// Options describe a program to run.
type Options struct {
	// Path of the program, and its arguments.
	Path string
	Args []string
	// Dir is the working directory; "" is that of the caller.
	Dir string
	// Env is the whole environment; nil is that of the caller.
	Env []string
	// Output receives standard output and standard error; nil discards them.
	Output io.Writer
	// UID and GID, if UID is not zero, are the user that the program runs as.
	UID, GID uint32
	// Ready reports whether the program serves; nil means immediately. It must
	// return within a second or so.
	Ready func(ctx context.Context) bool
	// Timeout bounds the wait for Ready. Default: one minute.
	Timeout time.Duration
}

// Process is a running program. Its methods are safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // to be read after done
}

// Start starts a program and waits until it is ready. If that fails, the program
// does not run any more. Canceling ctx ends the wait and not the program.
func Start(ctx context.Context, o Options) (*Process, error) {
	cmd := exec.Command(o.Path, o.Args...) //nolint:gosec,noctx // the caller names it; it outlives ctx
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = o.Dir, o.Env, o.Output, o.Output
	cmd.SysProcAttr = Attributes(o.UID, o.GID)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	if err := p.awaitReady(ctx, o); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%s: %w", filepath.Base(o.Path), err)
	}
	return p, nil
}

func (p *Process) awaitReady(ctx context.Context, o Options) error {
	if o.Ready == nil {
		return nil
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !o.Ready(ctx) {
		select {
		case <-p.done:
			return fmt.Errorf("ended before it was ready: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

// PID returns the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether the program has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Err returns the error with which the program ended, or nil; it waits for the end.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends a signal. A program that has ended is not an error.
func (p *Process) Signal(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", signal, err)
	}
	return nil
}

// Stop sends a signal and waits for the end. A program that does not end within the
// timeout is killed, and that is an error. Otherwise the error is that of the
// program.
func (p *Process) Stop(signal os.Signal, timeout time.Duration) error {
	if err := p.Signal(signal); err != nil {
		return err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.err
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %s of %s", filepath.Base(p.cmd.Path), timeout, signal)
	}
}

// Kill ends the program immediately (SIGKILL) and waits for its end.
func (p *Process) Kill() {
	_ = p.Signal(os.Kill) // fails only if it has ended
	<-p.done
}
