package redis

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// proxy stands between the store and a server and breaks connections.
type proxy struct {
	listener net.Listener
	target   string

	mu sync.Mutex
	// watch is what an armed proxy waits for in what the store sends; nil for
	// nothing.
	watch []byte
	// hits is how often it was seen.
	hits  int
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, conns: make(map[net.Conn]bool)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

func (p *proxy) url() string { return "redis://" + p.listener.Addr().String() }

func (p *proxy) port() string {
	_, port, _ := net.SplitHostPort(p.listener.Addr().String())
	return port
}

// cutAfter breaks the connection after a command with this text has been carried
// out and before its answer has come back, every time.
func (p *proxy) cutAfter(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch, p.hits = []byte(text), 0
}

// disarm lets everything through and returns how often a connection was broken.
func (p *proxy) disarm() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = nil
	return p.hits
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
}

func (p *proxy) keep(conn net.Conn, keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if keep {
		p.conns[conn] = true
	} else {
		delete(p.conns, conn)
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.keep(client, true)
	defer p.keep(client, false)
	answers := make(chan struct{})
	var doomed sync.Once
	fate := make(chan struct{})
	go func() { // what the server answers
		defer close(answers)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			select {
			case <-fate: // the answer has come, so the command was carried out
				client.Close()
				return
			default:
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<20)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		p.mu.Lock()
		if p.watch != nil && bytes.Contains(buffer[:n], p.watch) {
			p.hits++
			doomed.Do(func() { close(fate) })
		}
		p.mu.Unlock()
		if _, err := server.Write(buffer[:n]); err != nil {
			break
		}
	}
	server.Close()
	<-answers
}

// answering is a server that gives one answer to every command.
func answering(t *testing.T, line string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				for readCommand(conn) {
					if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
	})
	return "redis://" + listener.Addr().String()
}

// readCommand reads one command whole.
func readCommand(conn net.Conn) bool {
	line := func() (string, bool) {
		var text []byte
		for one := make([]byte, 1); ; {
			if _, err := io.ReadFull(conn, one); err != nil {
				return "", false
			}
			if text = append(text, one[0]); bytes.HasSuffix(text, []byte("\r\n")) {
				return string(text[1 : len(text)-2]), true
			}
		}
	}
	count, open := line()
	parts, _ := strconv.Atoi(count)
	for range parts {
		length, _ := line()
		n, err := strconv.Atoi(strings.TrimSpace(length))
		if err != nil {
			return false
		}
		if _, err := io.CopyN(io.Discard, conn, int64(n)+2); err != nil {
			return false
		}
	}
	return open
}
