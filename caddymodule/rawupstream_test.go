package caddymodule

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// rawUpstream is an application that keeps the bytes of a request as they came,
// because net/http would tidy them up. It accepts upgrades.
type rawUpstream struct {
	address  string
	requests chan string
}

func newRawUpstream(t *testing.T) *rawUpstream {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	u := &rawUpstream{address: listener.Addr().String(), requests: make(chan string, 100)}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(connection)
		}
	}()
	return u
}

// behindGate starts a site that forwards to a rawUpstream after a directive, and logs a
// user in.
func behindGate(t *testing.T, gate string) (app *rawUpstream, s setup, token string) {
	t.Helper()
	app = newRawUpstream(t)
	s = setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory",
		Site: gate + "\nreverse_proxy " + app.address,
	}
	load(t, s.caddyfile())
	return app, s, login(t, s, "a@example.com")
}

func (u *rawUpstream) serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	head := readPart(reader)
	chunked := strings.Contains(strings.ToLower(head), "transfer-encoding: chunked")
	if chunked {
		// The body ends with a chunk of length zero, the trailers follow.
		for {
			line, err := reader.ReadString('\n')
			if err != nil || line == "0\r\n" {
				break
			}
		}
		head += readPart(reader)
	}
	u.requests <- head
	if !strings.Contains(head, "Upgrade: websocket") {
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		return
	}
	fmt.Fprint(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if line, err := reader.ReadString('\n'); err == nil {
		fmt.Fprint(connection, "echo "+line)
	}
}

// readPart reads up to the next empty line.
func readPart(reader *bufio.Reader) string {
	var part strings.Builder
	for {
		line, err := reader.ReadString('\n')
		part.WriteString(line)
		if err != nil || line == "\r\n" {
			return part.String()
		}
	}
}

// request returns the next request that came.
func (u *rawUpstream) request() string {
	select {
	case request := <-u.requests:
		return request
	case <-time.After(time.Minute):
		return "no request came"
	}
}
