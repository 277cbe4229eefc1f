package servertest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds each wait. Test machines are busy.
const patience = 60 * time.Second

// Find returns the path of a program in PATH or in one of the folders, whose names
// may be patterns. If there is no such program, the test is skipped, or fails if CI
// is "true".
func Find(tb testing.TB, program string, folders ...string) string {
	tb.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(folder, program)) // the patterns are constants
		for _, path := range found {
			if _, err := exec.LookPath(path); err == nil {
				return path
			}
		}
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s is not installed", program)
	}
	tb.Skipf("SKIPPED, NOT TESTED: %s is not installed", program)
	return ""
}

// The range of FreePort. It lies below the ports that systems assign to outgoing
// connections (from 49152, RFC 6335, section 6; from 32768 on Linux).
const (
	firstPort = 20000
	lastPort  = 31999
)

// A process returns no port twice before it has returned all of them, because a port
// may be used some time after it was chosen. Each process begins elsewhere.
//
//nolint:gochecknoglobals // independent tests share the ports
var (
	begin     = rand.Uint32N(lastPort - firstPort + 1) //nolint:gosec // not a secret
	handedOut atomic.Uint32
	reserved  sync.Map // port to the net.Listener that reserves it
)

// reserve reserves a port for this process until it ends, among the processes that call
// FreePort: tests of several packages run at the same time. It reports false if another
// process has the port. Sockets with abstract names exist on Linux only.
func reserve(port int) bool {
	if _, own := reserved.Load(port); own || runtime.GOOS != "linux" {
		return true
	}
	listener, err := net.Listen("unix", "@edgeauth-test-port-"+strconv.Itoa(port)) //nolint:noctx // it does not block
	if err == nil {
		reserved.Store(port, listener)
	}
	return err == nil
}

// FreePort returns a port without a listener at any address. A port that the system
// picks could be assigned to the next outgoing connection as well: then a server
// could not listen there, now or after a restart, and a client that dials it could
// even be connected to itself.
func FreePort(tb testing.TB) int {
	tb.Helper()
	var err error
	for range lastPort - firstPort + 1 { // another process can have a long row of them
		port := firstPort + int((begin+handedOut.Add(1))%(lastPort-firstPort+1))
		if !reserve(port) {
			err = fmt.Errorf("port %d: another process has reserved it", port)
			continue
		}
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port))); err == nil { //nolint:noctx // it does not block
			_ = listener.Close()
			return port
		}
	}
	tb.Fatal(err)
	return 0
}

// Succeeds waits until an action succeeds, and reports its last error otherwise.
func Succeeds(tb testing.TB, what string, action func() error) {
	tb.Helper()
	var err error
	defer func() {
		if err != nil {
			tb.Logf("%s: the last error is %v", what, err)
		}
	}()
	Eventually(tb, what, func() bool {
		err = action()
		return err == nil
	})
}

// Eventually waits until the condition holds, and fails the test after a minute.
func Eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			tb.Fatalf("gave up waiting: %s", what)
		}
		<-look.C
	}
}
