package mailer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Defaults of SMTPConfig.
const (
	DefaultConnections = DefaultWorkers + DefaultSlowWorkers
	DefaultMaxIdle     = 30 * time.Second
	// DefaultMaxUses is the default of Exim (smtp_accept_queue_per_connection): it
	// only queues further mails, until its next queue run.
	DefaultMaxUses = 10

	// checkAfter is the idle time after which a connection is tested with NOOP;
	// checkTimeout limits the test.
	checkAfter   = 5 * time.Second
	checkTimeout = 5 * time.Second
)

// SMTPConfig configures an SMTP transport. The zero value of an optional field means
// its default.
type SMTPConfig struct {
	// Server accepts the mail, usually from ParseSMTPURL; required.
	Server SMTPServer
	// HELO is the name in EHLO: a fully qualified host name or an address literal
	// (RFC 5321, section 4.1.4). Default: the host name of the machine if it
	// contains a dot, otherwise the local address of the connection.
	HELO string
	// Auth is the authentication mechanism: scram-sha-256, plain, login, cram-md5 or
	// xoauth2. Default: the best one that the server offers.
	Auth string
	// TLSConfig is cloned; ServerName and MinVersion have defaults. Nil means
	// the certificate authorities of the system.
	TLSConfig *tls.Config
	// Connections limits the open connections. Default: DefaultConnections.
	Connections int
	// MaxIdle limits the idle time of a connection. Default: 30 s.
	MaxIdle time.Duration
	// MaxUses limits the mails on one connection. Default: 10.
	MaxUses int
	// Dial opens connections; nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// AfterFunc is the same as in QueueConfig.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// SMTP is a Transport that sends mail to an SMTP server and reuses its connections.
// It is safe for concurrent use.
type SMTP struct {
	server SMTPServer
	// helo is "" for the local address.
	helo string
	auth string
	// mechanism is the authentication mechanism that was tried last, a string.
	mechanism atomic.Value
	tlsConfig *tls.Config
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	now       func() time.Time
	maxUses   int
	// slots holds a token for each delivery.
	slots chan struct{}
	pool  *pool
}

// NewSMTP checks the configuration. It does not connect.
func NewSMTP(config SMTPConfig) (*SMTP, error) {
	if err := config.Server.Validate(); err != nil {
		return nil, err
	}
	if config.Connections < 0 || config.MaxIdle < 0 || config.MaxUses < 0 {
		return nil, errors.New("mailer: SMTP: connections, idle time or uses are negative; use positive numbers")
	}
	mechanism, err := parseMechanism(config.Auth)
	if err != nil {
		return nil, err
	}
	config.setDefaults()
	if config.HELO != "" && !validHELO(config.HELO) {
		return nil, errors.New("mailer: SMTP: helo: the name is not valid; use a full host name or an address literal such as [192.0.2.1]")
	}
	return &SMTP{
		server:    config.Server,
		helo:      config.HELO,
		auth:      mechanism,
		tlsConfig: config.clientTLS(),
		dial:      config.Dial,
		now:       config.Now,
		maxUses:   config.MaxUses,
		slots:     make(chan struct{}, config.Connections),
		pool:      newPool(config.MaxIdle, config.Now, config.AfterFunc),
	}, nil
}

func (c *SMTPConfig) setDefaults() {
	if c.HELO == "" {
		if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") && validHELO(name) {
			c.HELO = name
		}
	}
	c.Connections = cmp.Or(c.Connections, DefaultConnections)
	c.MaxIdle = cmp.Or(c.MaxIdle, DefaultMaxIdle)
	c.MaxUses = cmp.Or(c.MaxUses, DefaultMaxUses)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.AfterFunc == nil {
		c.AfterFunc = afterFunc
	}
}

func (c *SMTPConfig) clientTLS() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSConfig != nil {
		config = c.TLSConfig.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12) // RFC 8314, section 4.1
	}
	if config.ServerName == "" {
		config.ServerName = c.Server.Host
	}
	return config
}

func validHELO(name string) bool {
	if inner, found := strings.CutPrefix(name, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		_, err := netip.ParseAddr(strings.TrimPrefix(inner, "IPv6:"))
		return found && err == nil && !strings.Contains(inner, "%")
	}
	return len(name) <= 253 && hostName.MatchString(name) && !strings.Contains(name, "_")
}

// Close ends the idle connections. Connections in use end with their delivery.
func (t *SMTP) Close() error {
	t.pool.close()
	return nil
}

var _ Transport = (*SMTP)(nil)
