package tcpproxy

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"
)

// pair is one connection through the proxy.
type pair struct {
	client, server net.Conn
	once           sync.Once
	ended          chan struct{}

	// Under the lock of the proxy: the bytes that passed since the fault began,
	// and whether the client has sent the text that mutes it.
	passed [2]int
	muted  bool
	// lost is permanent: neither end hears from the other again.
	lost bool
}

// cut ends the connection at both ends, with a reset where data is under way.
func (c *pair) cut() {
	c.once.Do(func() {
		close(c.ended)
		_ = c.client.Close()
		_ = c.server.Close()
	})
}

func (p *Proxy) serve(client net.Conn) {
	switch fault := p.now(); {
	case fault.refuse:
		_ = client.Close()
		return
	case fault.vanished:
		p.ignore(client)
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &pair{client: client, server: server, ended: make(chan struct{})}
	if !p.keep(c) {
		c.cut()
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { p.carry(c, ToServer, client, server) })
	ways.Go(func() { p.carry(c, ToClient, server, client) })
	ways.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, c)
}

// ignore reads from a client without an answer until it gives up.
func (p *Proxy) ignore(client net.Conn) {
	c := &pair{client: client, server: client, ended: make(chan struct{})}
	defer c.cut()
	if p.keep(c) {
		_, _ = io.Copy(io.Discard, client)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.pairs, c)
	}
}

func (p *Proxy) keep(c *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	c.lost = p.fault.vanished
	p.pairs[c] = true
	return true
}

func (p *Proxy) now() fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// carry forwards the data of one end, and ends the connection when that end has ended
// it. The other end of a lost connection is not notified.
func (p *Proxy) carry(c *pair, direction Direction, from, to net.Conn) {
	defer func() {
		if p.isLost(c) {
			_ = from.Close()
			return
		}
		c.cut()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			piece, last := p.judge(c, direction, buffer[:n])
			if len(piece) > 0 {
				_, err = to.Write(piece)
			}
			if err != nil || last {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) isLost(c *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.lost
}

// judge waits until a piece of data may pass. It returns the part that passes, and
// whether the connection ends with it.
func (p *Proxy) judge(c *pair, direction Direction, piece []byte) (passing []byte, last bool) {
	for delayed := false; ; {
		p.mu.Lock()
		fault, change := p.fault, p.change
		if c.lost {
			p.mu.Unlock()
			return nil, false
		}
		if direction == ToServer && fault.mute != "" && bytes.Contains(bytes.ToLower(piece), []byte(fault.mute)) {
			c.muted = true
		}
		waits := fault.frozen || fault.mute != "" && c.muted && direction == ToClient
		if !waits && (delayed || fault.delay == 0) {
			before := c.passed[direction]
			c.passed[direction] += len(piece)
			p.mu.Unlock()
			if rest := fault.cutAfter - before; fault.cutAfter > 0 && direction == fault.direction && rest <= len(piece) {
				return piece[:max(0, rest)], true
			}
			return piece, false
		}
		p.mu.Unlock()
		var elapsed bool
		if elapsed, last = c.wait(change, waits, fault.delay); last {
			return nil, true
		}
		delayed = delayed || elapsed
	}
}

// wait waits until the fault changes, the connection ends or, unless forever is set,
// a delay has passed.
func (c *pair) wait(change <-chan struct{}, forever bool, delay time.Duration) (elapsed, ended bool) {
	var over <-chan time.Time
	if !forever {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-change:
	case <-over:
		return true, false
	case <-c.ended:
		return false, true
	}
	return false, false
}
