package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// ErrSkipped says that a helper skipped its test, most likely because a program is
// not installed. The error that wraps it says which.
var ErrSkipped = errors.New("skipped")

// Host is what helpers take for a test. It is for one goroutine at a time.
type Host struct {
	// TB is nil. It is there for the private method that a testing.TB must have;
	// helpers may use what Host has.
	testing.TB
	ctx      context.Context //nolint:containedctx // as a test has it
	cleanups []func()
	faults   []string
	skipped  string
}

// Run calls start with a Host. What it started ends with stop, which must be
// called unless there is an error.
func Run(ctx context.Context, start func(testing.TB)) (stop func() error, err error) {
	h := &Host{ctx: ctx}
	h.do(func() { start(h) })
	if h.skipped != "" {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrSkipped, h.skipped), h.end())
	}
	if h.Failed() {
		return nil, h.end()
	}
	return h.end, nil
}

// do runs a function in a goroutine of its own, which Fatal and Skip end.
func (h *Host) do(run func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	<-done
}

// end runs the cleanups, the last one first, and returns what failed.
func (h *Host) end() error {
	for _, cleanup := range slices.Backward(h.cleanups) {
		h.do(cleanup)
	}
	h.cleanups = nil
	if h.Failed() {
		return errors.New(strings.Join(h.faults, "\n"))
	}
	return nil
}

// Helper does nothing.
func (*Host) Helper() {}

// Context is the one that Run was given.
func (h *Host) Context() context.Context { return h.ctx }

// Cleanup registers what is to be done at the end.
func (h *Host) Cleanup(cleanup func()) { h.cleanups = append(h.cleanups, cleanup) }

// Failed reports whether something went wrong.
func (h *Host) Failed() bool { return len(h.faults) > 0 }

// Logf notes something to be told in case of failure.
func (h *Host) Logf(format string, arguments ...any) {
	if h.Failed() {
		h.Errorf(format, arguments...)
	}
}

// Errorf notes a failure.
func (h *Host) Errorf(format string, arguments ...any) {
	h.faults = append(h.faults, fmt.Sprintf(format, arguments...))
}

// Fatal ends the function with a failure.
func (h *Host) Fatal(arguments ...any) {
	h.Errorf("%s", fmt.Sprint(arguments...))
	runtime.Goexit()
}

// Fatalf ends the function with a failure.
func (h *Host) Fatalf(format string, arguments ...any) {
	h.Errorf(format, arguments...)
	runtime.Goexit()
}

// Skipf ends the function without one.
func (h *Host) Skipf(format string, arguments ...any) {
	h.skipped = fmt.Sprintf(format, arguments...)
	runtime.Goexit()
}

// TempDir makes a folder that is removed at the end.
func (h *Host) TempDir() string {
	dir, err := os.MkdirTemp("", "bench-server-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			h.Errorf("%v", err)
		}
	})
	return dir
}
