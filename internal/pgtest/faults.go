package pgtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// Start starts a server that was stopped or killed, with its data and its port.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	s.process.Start(tb)
}

// Stop shuts the server down, without waiting for its clients.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.process.Interrupt(tb) // SIGTERM would wait until all clients have left
}

// Kill kills every process of the server (SIGKILL) and waits until all have ended.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	children := s.children(tb)
	s.process.Kill(tb)
	for _, pid := range children {
		_ = signal(pid, os.Kill) // it may have ended by itself
	}
	servertest.Eventually(tb, "the end of the killed server", func() bool {
		for _, pid := range children {
			if parent(pid) >= 0 && !ended(pid) {
				return false
			}
		}
		return true
	})
}

// Pause freezes every process of the server (SIGSTOP): connections stay open without
// answers.
func (s *Server) Pause(tb testing.TB) {
	tb.Helper()
	s.process.Pause(tb) // first, so that it makes no more children
	s.signal(tb, servertest.StopSignal)
}

// Resume continues a frozen server (SIGCONT).
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	s.signal(tb, servertest.ContinueSignal)
	s.process.Resume(tb)
}

func (s *Server) signal(tb testing.TB, by os.Signal) {
	tb.Helper()
	for _, pid := range s.children(tb) {
		_ = signal(pid, by) // it may have ended by itself
	}
}

// signal sends a signal to one process.
func signal(pid int, by os.Signal) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(by)
}

// children returns the processes that the server has started. Each has a process
// group of its own.
func (s *Server) children(tb testing.TB) []int {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.Data, "postmaster.pid"))
	if err != nil {
		return nil // it does not run
	}
	line, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		tb.Fatalf("postmaster.pid: %v", err)
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		tb.Fatal(err)
	}
	var children []int
	for _, process := range processes {
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil && parent(pid) == postmaster {
			children = append(children, pid)
		}
	}
	return children
}

// stat returns state and parent of a process.
func stat(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", -1
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return "", -1
	}
	return fields[0], parent
}

// parent returns the parent of a process, -1 for one that does not exist.
func parent(pid int) int {
	_, parent := stat(pid)
	return parent
}

// ended reports whether only the entry of a process is left.
func ended(pid int) bool {
	state, _ := stat(pid)
	return state == "Z" || state == "X"
}

// Crash kills one process of the server, which then recovers as after a crash and
// continues.
func (s *Server) Crash(tb testing.TB) {
	tb.Helper()
	children := s.children(tb)
	if len(children) == 0 {
		tb.Fatal("Crash: the server does not run")
	}
	if err := signal(children[0], os.Kill); err != nil {
		tb.Fatalf("Crash: %v", err)
	}
	servertest.Eventually(tb, "the end of the killed process", func() bool { return parent(children[0]) < 0 || ended(children[0]) })
}
