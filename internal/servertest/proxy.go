package servertest

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// Proxy forwards connections between a client and a server on the loopback interface
// and breaks them on request. Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string

	mu sync.Mutex
	// watch is the text in the client's data that breaks a connection; nil if the
	// proxy is not armed.
	watch []byte
	// hits counts its occurrences.
	hits  int
	conns map[net.Conn]bool
	// deaf holds the connections whose data is dropped.
	deaf map[net.Conn]bool
}

// NewProxy starts a proxy in front of a server. It ends with the test.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, conns: make(map[net.Conn]bool), deaf: make(map[net.Conn]bool)}
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
	tb.Cleanup(func() {
		listener.Close()
		p.Cut()
		serving.Wait()
	})
	return p
}

// Address returns host and port of the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// CutAfter breaks each connection after the server has executed a command with this
// text and before its answer arrives. Later answers are dropped.
func (p *Proxy) CutAfter(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch, p.hits = []byte(text), 0
}

// Disarm stops breaking connections and returns the number of broken ones.
func (p *Proxy) Disarm() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = nil
	return p.hits
}

// Cut breaks all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
}

// Deafen drops all data on the present connections, like a machine that vanishes.
// New connections work.
func (p *Proxy) Deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		p.deaf[conn] = true
	}
}

func (p *Proxy) keep(conn net.Conn, keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if keep {
		p.conns[conn] = true
	} else {
		delete(p.conns, conn)
		delete(p.deaf, conn)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target) //nolint:noctx // on the loopback interface
	if err != nil {
		return
	}
	defer server.Close()
	p.keep(client, true)
	defer p.keep(client, false)
	answers := make(chan struct{})
	var doomed sync.Once
	fate := make(chan struct{})
	go func() { // the server's answers
		defer close(answers)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				client.Close()
				return
			}
			select {
			case <-fate: // the answer arrived, so the command was executed
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
		deaf := p.deaf[client]
		p.mu.Unlock()
		if deaf {
			continue
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			break
		}
	}
	server.Close()
	<-answers
}
