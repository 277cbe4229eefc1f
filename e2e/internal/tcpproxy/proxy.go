package tcpproxy

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Direction is a way through the proxy.
type Direction int

// The ways through the proxy.
const (
	// ToServer is the direction of requests.
	ToServer Direction = iota
	// ToClient is the direction of answers.
	ToClient
)

// Proxy forwards connections to one address. A fault applies to existing and new
// connections until Heal. Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string
	carriers sync.WaitGroup

	mu     sync.Mutex
	fault  fault
	change chan struct{} // closed when the fault changes
	pairs  map[*pair]bool
	closed bool
}

// fault describes the current fault; the zero value has no effect.
type fault struct {
	delay  time.Duration
	frozen bool
	refuse bool
	// vanished connections never come back.
	vanished bool
	// A connection is cut once so many bytes have passed this way since the
	// fault began; 0 is never.
	cutAfter  int
	direction Direction
	// mute keeps answers from clients that have sent this text.
	mute string
}

// New starts a proxy on the loopback interface, until the end of the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, change: make(chan struct{}), pairs: map[*pair]bool{}}
	p.carriers.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Address is where clients connect, host and port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Heal forwards everything again. Frozen connections continue.
func (p *Proxy) Heal() { p.set(fault{}) }

// Delay holds back each piece of data, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.set(fault{delay: d}) }

// Freeze stops all data. Connections are accepted and stay open, as when a network
// drops packets.
func (p *Proxy) Freeze() { p.set(fault{frozen: true}) }

// Vanish stops all data without notice, as when a firewall forgets its connections:
// existing ones stay silent forever, and neither end learns that the other one has
// closed. New ones get no answer until Heal.
func (p *Proxy) Vanish() { p.set(fault{vanished: true}) }

// Refuse ends all connections, and each new one immediately.
func (p *Proxy) Refuse() {
	p.set(fault{refuse: true})
	p.Cut()
}

// CutAfter ends each connection when n bytes have passed in one direction, counted
// from now.
func (p *Proxy) CutAfter(n int, direction Direction) {
	p.set(fault{cutAfter: n, direction: direction})
}

// Mute suppresses the answers on connections on which the client has sent this text,
// in any case. Existing connections are cut, so that the client sends it again.
func (p *Proxy) Mute(text string) {
	p.set(fault{mute: strings.ToLower(text)})
	p.Cut()
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.cut()
	}
}

func (p *Proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	for pair := range p.pairs {
		pair.passed = [2]int{}
		pair.lost = pair.lost || f.vanished
	}
	close(p.change)
	p.change = make(chan struct{})
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Heal()
	p.Cut()
	p.carriers.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.carriers.Go(func() { p.serve(client) })
	}
}
