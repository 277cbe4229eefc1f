package servertest

import (
	"net"
	"runtime"
	"strconv"
	"testing"
)

// Ports that another process has reserved are not returned, however many it has in a row.
func TestFreePortOfAnotherProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there are no abstract sockets")
	}
	const row = 200
	next := FreePort(t) + 1
	theirs := map[int]bool{}
	for i := range row {
		port := firstPort + (next-firstPort+i)%(lastPort-firstPort+1)
		other, err := net.Listen("unix", "@edgeauth-test-port-"+strconv.Itoa(port))
		if err != nil {
			continue // another process uses FreePort now
		}
		t.Cleanup(func() { _ = other.Close() })
		theirs[port] = true
	}
	if len(theirs) == 0 {
		t.Skip("NOT TESTED: another process has reserved all of these ports")
	}
	if got := FreePort(t); theirs[got] {
		t.Errorf("FreePort() = %d, which another process has reserved", got)
	}
}

// FreePort returns no port with a listener, at any address, and no port twice.
func TestFreePort(t *testing.T) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t))))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken, _ := listener.Addr().(*net.TCPAddr)
	seen := map[int]bool{taken.Port: true}
	handedOut.Add(^uint32(0)) // as if it had not been handed out yet
	for range 1000 {
		port := FreePort(t)
		if port < firstPort || port > lastPort || seen[port] {
			t.Fatalf("port %d, of which it is known: %t", port, seen[port])
		}
		seen[port] = true
	}
}
