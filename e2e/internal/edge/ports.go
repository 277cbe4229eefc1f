package edge

import (
	"net"
	"testing"
)

// FreePort returns a TCP port of the loopback interface that nobody listens on.
// The system hands ports out at random, so that two tests hardly ever get the
// same one in the moment before it is used.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
