package servertest

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds everything that is waited for. Machines that test are busy.
const patience = 60 * time.Second

// Find returns the path of a program, which is looked for in PATH and then in the
// folders, whose names may be patterns. Without it the test is skipped, or fails
// when CI is "true".
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

// Ports that FreePort hands out: below those from which systems take one for a
// connection that somebody makes (49152 on, RFC 6335, section 6; 32768 on in Linux).
const (
	firstPort = 20000
	lastPort  = 31999
)

// A process hands no port out twice before it has gone through all of them: some
// wait for a while before they are used. Each begins somewhere else.
//
//nolint:gochecknoglobals // tests that know nothing of each other share the ports
var (
	begin     = rand.Uint32N(lastPort - firstPort + 1) //nolint:gosec // nobody has to guess it
	handedOut atomic.Uint32
)

// FreePort returns a port that nobody listens on, at any address. The system would
// pick one that it gives to the next outgoing connection just as well, of whomever:
// a server could then not listen there, now or when it is started again, and who
// dials it meanwhile could even be connected with himself.
func FreePort(tb testing.TB) int {
	tb.Helper()
	var err error
	for range 100 {
		port := firstPort + int((begin+handedOut.Add(1))%(lastPort-firstPort+1))
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port))); err == nil { //nolint:noctx // it does not block
			_ = listener.Close()
			return port
		}
	}
	tb.Fatal(err)
	return 0
}

// Eventually waits until the condition holds and fails the test when it does not
// in a minute.
func Eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain: %s", what)
		}
		<-look.C
	}
}
