package mailer

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// maxReplyBytes limits the data from the server in one delivery, including the
	// TLS handshake.
	maxReplyBytes = 1 << 20

	// dialTimeout limits the connection attempt.
	dialTimeout = 30 * time.Second

	// farewellTimeout limits QUIT.
	farewellTimeout = time.Second
)

// session is an open, authenticated connection. One delivery uses it at a time.
type session struct {
	*client
	raw *meteredConn
	// uses counts deliveries; idleSince is set in the pool.
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
		return 0, errEndless
	}
	n, err := c.Conn.Read(p)
	c.budget.Add(int64(-n))
	return n, err
}

// bind makes every read and write on the session fail when ctx ends. If unbind
// returns false, the session is unusable.
func (s *session) bind(ctx context.Context) (unbind func() bool) {
	s.raw.budget.Store(maxReplyBytes)
	return context.AfterFunc(ctx, func() { _ = s.raw.Close() })
}

// close closes the connection without QUIT.
func (s *session) close() { _ = s.raw.Close() }

// quit ends the session (RFC 5321, section 4.1.1.10). It has a timeout of its own,
// because the context of the delivery may have ended.
func (s *session) quit() {
	s.raw.budget.Store(maxReplyBytes)
	_, _ = s.command(farewellTimeout, "QUIT")
	_ = s.raw.Close()
}

// alive checks the connection (RFC 5321, section 4.1.1.9).
func (s *session) alive(ctx context.Context) bool {
	unbind := s.bind(ctx)
	err := s.expect(2, checkTimeout, "NOOP")
	return unbind() && err == nil
}

// open connects, upgrades to TLS, greets and authenticates.
func (t *SMTP) open(ctx context.Context) (*session, error) {
	raw, err := t.connect(ctx)
	if err != nil {
		return nil, failureAt(ctx, stageConnect, err)
	}
	metered := &meteredConn{Conn: raw}
	abort := func() { _ = raw.Close() }
	s := &session{client: newClient(metered, abort, t.pool.afterFunc), raw: metered}
	unbind := s.bind(ctx)
	defer unbind()
	if stage, err := t.prepare(ctx, s.client); err != nil {
		abort()
		return nil, s.failure(ctx, stage, err)
	}
	return s, nil
}

func (t *SMTP) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := t.pool.afterFunc(dialTimeout, func() { cancel(context.DeadlineExceeded) })
	defer stop()
	conn, err := t.dial(ctx, "tcp", t.server.address())
	if err != nil && context.Cause(ctx) == context.DeadlineExceeded { //nolint:errorlint // the cause set above
		return nil, context.DeadlineExceeded
	}
	return conn, err
}

// failure returns the DeliveryError for an error of the session.
func (s *session) failure(ctx context.Context, stage string, err error) *DeliveryError {
	if s.timedOut.Load() {
		err = context.DeadlineExceeded
	}
	return failureAt(ctx, stage, err)
}

// prepare performs all steps before a transaction. On an error it returns the stage.
func (t *SMTP) prepare(ctx context.Context, c *client) (stage string, err error) {
	if t.server.TLS == TLSImplicit {
		if err := t.handshake(ctx, c); err != nil {
			return stageTLS, err
		}
	}
	if err := c.greeting(); err != nil {
		return stageGreeting, err
	}
	name := t.helo
	if name == "" {
		name = addressLiteral(c.conn.LocalAddr())
	}
	if err := c.hello(name); err != nil {
		return stageGreeting, err
	}
	if t.server.TLS == TLSStartTLS {
		if err := t.startTLS(ctx, c); err != nil {
			return stageTLS, err
		}
		if err := c.hello(name); err != nil {
			return stageGreeting, err
		}
	}
	if t.server.User == "" {
		return "", nil
	}
	return stageAuth, t.authenticate(c)
}

// startTLS upgrades the connection or fails. Without STARTTLS the session must not
// continue: an attacker on the network can remove it from the reply (RFC 3207,
// section 6). Data after the reply was sent in the clear and must not be used
// (CVE-2011-0411).
func (t *SMTP) startTLS(ctx context.Context, c *client) error {
	if _, offered := c.extensions["STARTTLS"]; !offered {
		return &reasonError{"the server does not offer STARTTLS"}
	}
	if err := c.expect(2, commandTimeout, "STARTTLS"); err != nil {
		return err
	}
	if c.reader.Buffered() > 0 {
		return &reasonError{"the server sent data before the TLS handshake"}
	}
	return t.handshake(ctx, c)
}

func (t *SMTP) handshake(ctx context.Context, c *client) error {
	defer c.limit(commandTimeout)()
	secured := tls.Client(c.conn, t.tlsConfig)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	c.use(secured, true)
	return nil
}

// addressLiteral returns the local address in the form of RFC 5321, section 4.1.3.
func addressLiteral(local net.Addr) string {
	ip := netip.IPv6Unspecified()
	if tcp, ok := local.(*net.TCPAddr); ok {
		ip = tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	if ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + ip.String() + "]"
}
