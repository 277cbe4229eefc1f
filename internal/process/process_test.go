package process_test

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/process"
)

// A test that has this variable set is the program that the tests run.
const role = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "fail":
		os.Stderr.WriteString("broken\n")
		os.Exit(3)
	default: // wait to be ended
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		<-interrupted
	}
}

func options(t *testing.T, as string, output *bytes.Buffer) process.Options {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatalf("Executable: %v", err)
	}
	return process.Options{Path: path, Env: append(os.Environ(), role+"="+as), Output: output}
}

func TestStartAndStop(t *testing.T) {
	var output bytes.Buffer
	calls := 0
	o := options(t, "wait", &output)
	o.Ready = func(context.Context) bool { calls++; return calls > 2 }
	p, err := process.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if p.Ended() || p.PID() == 0 {
		t.Errorf("Ended() = %t, PID() = %d, want a running process", p.Ended(), p.PID())
	}
	if err := p.Stop(syscall.SIGTERM, time.Minute); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("Stop = %v, want the signal as the reason of the end", err)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("Signal after the end = %v, want nil", err)
	}
}

func TestStartReportsAnEarlyEnd(t *testing.T) {
	var output bytes.Buffer
	o := options(t, "fail", &output)
	o.Ready = func(context.Context) bool { return false }
	_, err := process.Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") || output.String() != "broken\n" {
		t.Errorf("Start = %v with output %q, want the early end and the output", err, output.String())
	}
}

func TestStartGivesUp(t *testing.T) {
	o := options(t, "wait", new(bytes.Buffer))
	o.Timeout, o.Ready = 50*time.Millisecond, func(context.Context) bool { return false }
	if _, err := process.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("Start = %v, want an error about readiness", err)
	}
}
