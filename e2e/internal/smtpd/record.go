package smtpd

import (
	"bytes"
	"net"
	"sync"
)

// recorded writes down what clients send in the clear.
type recorded struct {
	net.Listener
	server *Server
}

func (l recorded) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordedConn{Conn: conn, server: l.server}, nil
}

// tlsHandshake is the first byte of a TLS record that holds a handshake (RFC
// 8446, section 5.1). No SMTP command begins with it.
const tlsHandshake = 22

type recordedConn struct {
	net.Conn
	server *Server

	mu        sync.Mutex
	encrypted bool
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && p[0] == tlsHandshake {
		c.encrypted = true
	}
	if !c.encrypted {
		c.server.mu.Lock()
		c.server.clear.Write(bytes.Clone(p[:n]))
		c.server.mu.Unlock()
	}
	return n, err
}
