package mailer

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// maxReplyBytes bounds what a server may send during one delivery, the TLS
// handshake included. The SMTP client itself reads lines of any length.
const maxReplyBytes = 1 << 20

// session is an open, authenticated connection. One delivery uses it at a time.
type session struct {
	client *smtp.Client
	conn   *meteredConn
	// uses counts deliveries; idleSince is set while in the pool.
	uses      int
	idleSince time.Time
}

// meteredConn is a network connection that reads no more than its budget.
type meteredConn struct {
	net.Conn
	budget atomic.Int64
}

func (c *meteredConn) Read(p []byte) (int, error) {
	if c.budget.Load() <= 0 {
		return 0, &reasonError{"server sends without end"}
	}
	n, err := c.Conn.Read(p)
	c.budget.Add(int64(-n))
	return n, err
}

// bind makes every read and write on the session fail when ctx ends: the SMTP
// client knows no context, but cannot outlive its connection. After unbind has
// returned false the session is broken.
func (s *session) bind(ctx context.Context) (unbind func() bool) {
	s.conn.budget.Store(maxReplyBytes)
	return context.AfterFunc(ctx, func() { _ = s.conn.Close() })
}

// open connects, upgrades to TLS, greets and authenticates.
func (t *SMTP) open(ctx context.Context) (*session, error) {
	raw, err := t.dial(ctx, "tcp", t.server.address())
	if err != nil {
		return nil, failureAt(ctx, stageConnect, err)
	}
	s := &session{conn: &meteredConn{Conn: raw}}
	unbind := s.bind(ctx)
	defer unbind()
	if failure := t.prepare(ctx, s); failure != nil {
		_ = raw.Close()
		return nil, failure
	}
	return s, nil
}

// prepare takes a new connection to where mail can be offered.
func (t *SMTP) prepare(ctx context.Context, s *session) error {
	// The client recognizes TLS by the type of its connection.
	var conn net.Conn = s.conn
	if t.server.TLS == TLSImplicit {
		secured := tls.Client(s.conn, t.tlsConfig)
		if err := secured.HandshakeContext(ctx); err != nil {
			return failureAt(ctx, stageTLS, err)
		}
		conn = secured
	}
	var err error
	if s.client, err = smtp.NewClient(conn, t.server.Host); err != nil {
		return failureAt(ctx, stageGreeting, err)
	}
	s.client.SkipSMTPUTF8(true) // all addresses are ASCII
	if err := s.client.Hello(t.helo); err != nil {
		return failureAt(ctx, stageGreeting, err)
	}
	if t.server.TLS == TLSStartTLS {
		if err := t.startTLS(s.client); err != nil {
			return failureAt(ctx, stageTLS, err)
		}
	}
	if t.server.User == "" {
		return nil
	}
	_, offered := s.client.Extension("AUTH")
	auth, err := chooseAuth(offered, t.server)
	if err == nil {
		err = s.client.Auth(auth)
	}
	if err != nil {
		return failureAt(ctx, stageAuth, err)
	}
	return nil
}

// startTLS upgrades or fails. Somebody in between can cut STARTTLS from the
// greeting; going on in the clear is what they want (RFC 3207, section 6).
func (t *SMTP) startTLS(client *smtp.Client) error {
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return &reasonError{"server does not offer STARTTLS"}
	}
	return client.StartTLS(t.tlsConfig)
}

// farewellTimeout is how long a server has to say goodbye.
const farewellTimeout = time.Second

// quit says goodbye (RFC 5321, section 4.1.1.10) and closes. It is bounded by a
// timer of its own: the delivery that ends here may have used up its context.
func (s *session) quit(afterFunc func(time.Duration, func()) func() bool) {
	s.conn.budget.Store(maxReplyBytes)
	stop := afterFunc(farewellTimeout, func() { _ = s.conn.Close() })
	defer stop()
	_ = s.client.Quit()
	_ = s.conn.Close()
}
