// Package tcpproxy stands between two processes and breaks what passes between
// them: it delays, freezes, cuts or refuses connections, keeps the answers of some
// to itself, and lets everything through again.
//
// It knows nothing of what it carries.
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
	// ToServer is what clients send.
	ToServer Direction = iota
	// ToClient is what the server answers.
	ToClient
)

// Proxy passes connections on to one address until it is told otherwise. What it
// is told holds for the connections that there are and for those that come, until
// Heal. Its methods are safe for concurrent use.
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

// fault is what is wrong now; the zero value is nothing.
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

// Heal lets everything through again. What was frozen goes on where it stood.
func (p *Proxy) Heal() { p.set(fault{}) }

// Delay holds back each piece of data, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.set(fault{delay: d}) }

// Freeze lets nothing through any more: connections are accepted and stay, and
// nobody hears anything, as when a network drops packets.
func (p *Proxy) Freeze() { p.set(fault{frozen: true}) }

// Vanish lets nothing through any more and tells nobody, as when packets are dropped
// and a firewall on the way forgets its connections: those that there are stay
// silent for ever, and neither end hears when the other one leaves. New ones find
// nobody until Heal.
func (p *Proxy) Vanish() { p.set(fault{vanished: true}) }

// Refuse ends all connections, and each new one at once.
func (p *Proxy) Refuse() {
	p.set(fault{refuse: true})
	p.Cut()
}

// CutAfter ends each connection when n bytes have passed in one direction, counted
// from now.
func (p *Proxy) CutAfter(n int, direction Direction) {
	p.set(fault{cutAfter: n, direction: direction})
}

// Mute keeps from a client what it would be told on a connection on which it has
// sent this text, in any case; other connections are not touched. Connections that
// there are already are cut, so that it is sent again.
func (p *Proxy) Mute(text string) {
	p.set(fault{mute: strings.ToLower(text)})
	p.Cut()
}

// Cut ends all connections that there are.
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
