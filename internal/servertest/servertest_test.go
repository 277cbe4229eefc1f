package servertest

import (
	"net"
	"runtime"
	"strconv"
	"testing"
)

// A port that another process has reserved is not returned.
func TestFreePortOfAnotherProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there are no abstract sockets")
	}
	next := FreePort(t) + 1
	if next > lastPort {
		next = firstPort
	}
	other, err := net.Listen("unix", "@edgeauth-test-port-"+strconv.Itoa(next))
	if err != nil {
		t.Skipf("another process uses FreePort now: %v", err)
	}
	defer other.Close()
	if got := FreePort(t); got == next {
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
