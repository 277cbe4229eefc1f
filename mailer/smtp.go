package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Defaults of SMTPConfig.
const (
	DefaultConnections = 4
	DefaultMaxIdle     = 30 * time.Second
	DefaultMaxUses     = 100

	// checkAfter is how long a connection may have been idle before it is asked
	// whether it still lives, and checkTimeout how long it has for the answer.
	checkAfter   = 5 * time.Second
	checkTimeout = 5 * time.Second
)

// SMTPConfig is what an SMTP transport is made of. The zero value of an optional
// field means its default.
type SMTPConfig struct {
	// Server to hand mail to, usually from ParseSMTPURL; required.
	Server SMTPServer
	// HELO is the name to greet with: a host name or an address literal (RFC
	// 5321, section 4.1.4). Default: the host name of the machine.
	HELO string
	// TLSConfig is cloned; ServerName and MinVersion have defaults. Nil means
	// the certificate authorities of the system.
	TLSConfig *tls.Config
	// Connections is how many are open at most. Default: 4.
	Connections int
	// MaxIdle is how long an idle connection is kept. Default: 30 s.
	MaxIdle time.Duration
	// MaxUses is how many mails go through one connection. Default: 100.
	MaxUses int
	// Dial opens connections; nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// AfterFunc is as in QueueConfig.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// SMTP is a Transport that hands mail to an SMTP server and keeps its
// connections for the next mail. It is safe for concurrent use.
type SMTP struct {
	server    SMTPServer
	helo      string
	tlsConfig *tls.Config
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	now       func() time.Time
	maxUses   int
	// slots holds a token for each connection that may be in use.
	slots chan struct{}
	pool  *pool
}

// NewSMTP checks the configuration. It does not connect.
func NewSMTP(config SMTPConfig) (*SMTP, error) {
	if err := config.Server.Validate(); err != nil {
		return nil, err
	}
	if config.Connections < 0 || config.MaxIdle < 0 || config.MaxUses < 0 {
		return nil, errors.New("mailer: SMTP: connections, idle time and uses must not be negative")
	}
	config.setDefaults()
	if !validHELO(config.HELO) {
		return nil, errors.New("mailer: SMTP: the HELO name is neither a host name nor an address literal like [192.0.2.1]")
	}
	return &SMTP{
		server:    config.Server,
		helo:      config.HELO,
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
		c.HELO = "localhost"
		if name, err := os.Hostname(); err == nil && validHELO(name) {
			c.HELO = name
		}
	}
	if c.Connections == 0 {
		c.Connections = DefaultConnections
	}
	if c.MaxIdle == 0 {
		c.MaxIdle = DefaultMaxIdle
	}
	if c.MaxUses == 0 {
		c.MaxUses = DefaultMaxUses
	}
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
	return len(name) <= 253 && hostName.MatchString(name)
}

// Close ends the idle connections. Connections in use end with their delivery.
func (t *SMTP) Close() error {
	t.pool.close()
	return nil
}

var _ Transport = (*SMTP)(nil)
