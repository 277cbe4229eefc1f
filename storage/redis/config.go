package redis

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// DefaultKeyPrefix is what all keys begin with unless Config says otherwise.
const DefaultKeyPrefix = "edgeauth:"

// ioTimeout is how long a connection may take to be made, to be read from and to
// be written to, and how long a call waits for a free one, unless the URL says
// otherwise.
const ioTimeout = 2 * time.Second

// idleTimeout is after how long without use a connection is closed unless the URL
// says otherwise. When connections lead nowhere, because a machine vanished without
// a word, one call waits for ioTimeout to find that out, and meanwhile the others
// get too old to be tried one after the other. Who follows revocations keeps one in
// use.
const idleTimeout = ioTimeout

// Config says where a Redis is.
type Config struct {
	// URL is redis://[user:password@]host:port/[db], rediss:// for TLS, or
	// unix://[user:password@]/path?db=n. With Sentinel and Cluster it names one
	// Sentinel or node, and others by "addr=host:port", which may be repeated;
	// user and password are those of the servers. Further parameters are
	// dial_timeout, read_timeout, write_timeout, pool_timeout, pool_size and
	// conn_max_idle_time. The URL is a secret when a password is in it: no error
	// cites it.
	URL string
	// Sentinel is the name under which Sentinels know the primary, "" for none.
	Sentinel string
	// SentinelUsername and SentinelPassword log in to the Sentinels themselves.
	SentinelUsername, SentinelPassword string
	// Cluster says that the URL names nodes of a Redis Cluster.
	Cluster bool
	// Roots are the authorities that certificates of servers are checked with; nil
	// means those of the system.
	Roots *x509.CertPool
	// Certificates are shown to servers that ask for one.
	Certificates []tls.Certificate
	// WaitReplicas is how many replicas must have a change before it is
	// acknowledged; with fewer, after a second, the error wraps
	// authcore.ErrUnavailable. 0 waits for none.
	WaitReplicas int
	// KeyPrefix is what all keys begin with. It has no braces, which Redis Cluster
	// gives a meaning, and none of "*?[]\", which patterns do.
	KeyPrefix string
}

// Validate finds the faults that can be found without a connection.
func (c Config) Validate() error {
	_, _, err := c.parse()
	return err
}

// parse returns the options for one server, and all addresses.
func (c Config) parse() (*goredis.Options, []string, error) {
	switch {
	case c.Cluster && c.Sentinel != "":
		return nil, nil, errors.New("redis: sentinel and cluster exclude each other")
	case c.Sentinel == "" && c.SentinelUsername+c.SentinelPassword != "":
		return nil, nil, errors.New("redis: there is a user or password for Sentinels, and no name of a primary")
	case c.WaitReplicas < 0:
		return nil, nil, errors.New("redis: the number of replicas to wait for is negative")
	}
	if strings.ContainsAny(c.KeyPrefix, `{}*?[]\`) {
		return nil, nil, errors.New(`redis: the key prefix must not contain any of {}*?[]\`)
	}
	// What the parsers say cites the URL.
	parsed, err := url.Parse(c.URL)
	if err != nil || !slices.Contains([]string{"redis", "rediss", "unix"}, parsed.Scheme) {
		return nil, nil, errors.New("redis: the URL is none such as redis://user:password@host:6379/0, rediss://… or unix:///path; " +
			"characters such as @, /, # and % in a password are percent-encoded")
	}
	query := parsed.Query()
	more := query["addr"]
	query.Del("addr")
	for name := range query {
		if !slices.Contains(parameters(), name) {
			return nil, nil, fmt.Errorf("redis: the URL has an unknown parameter; there are %s and addr",
				strings.Join(parameters(), ", "))
		}
	}
	parsed.RawQuery = query.Encode()
	options, err := goredis.ParseURL(parsed.String())
	if err != nil {
		return nil, nil, errors.New("redis: the URL has a bad host, port, database number or parameter")
	}
	if options.TLSConfig == nil && (c.Roots != nil || len(c.Certificates) > 0) {
		return nil, nil, errors.New("redis: certificates are configured, but the URL does not begin with rediss://")
	}
	several := c.Cluster || c.Sentinel != ""
	switch {
	case len(more) > 0 && !several:
		return nil, nil, errors.New("redis: addr in the URL names further Sentinels or nodes of a Cluster, and neither is configured")
	case several && options.Network != "tcp":
		return nil, nil, errors.New("redis: Sentinels and a Cluster are not reached by a socket in the file system")
	case c.Cluster && options.DB != 0:
		return nil, nil, errors.New("redis: a Cluster has only the database 0")
	}
	for _, address := range more {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return nil, nil, errors.New("redis: addr in the URL is not of the form host:port")
		}
	}
	return options, append([]string{options.Addr}, more...), nil
}

// parameters are those that a URL may have. Others of go-redis would have reads
// answered by replicas, commands sent twice, or certificates not checked.
func parameters() []string {
	return []string{
		"db", "dial_timeout", "read_timeout", "write_timeout", "pool_timeout", "pool_size", "conn_max_idle_time",
	}
}

// client makes the client, which connects when it is used.
func (c Config) client() (goredis.UniversalClient, error) {
	options, addresses, err := c.parse()
	if err != nil {
		return nil, err
	}
	several := c.Cluster || c.Sentinel != ""
	if secure := options.TLSConfig; secure != nil {
		secure.RootCAs, secure.Certificates, secure.MinVersion = c.Roots, c.Certificates, tls.VersionTLS12
		if several {
			secure.ServerName = "" // each by its own name
		}
	}
	all := &goredis.UniversalOptions{
		Addrs: addresses, DB: options.DB, Username: options.Username, Password: options.Password,
		MasterName: c.Sentinel, SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword,
		TLSConfig: options.TLSConfig, IsClusterMode: c.Cluster,
		DialTimeout: orDefault(options.DialTimeout), ReadTimeout: orDefault(options.ReadTimeout),
		WriteTimeout: orDefault(options.WriteTimeout), PoolTimeout: orDefault(options.PoolTimeout),
		PoolSize: options.PoolSize, ConnMaxIdleTime: cmp.Or(options.ConnMaxIdleTime, idleTimeout),
		ContextTimeoutEnabled: true,
		// See type once. A Cluster has loops of its own.
		MaxRetries: -1, DialerRetries: 1,
		// What is not used: RESP3, pipelines, the name of the library, pushed
		// maintenance.
		Protocol: 2, PipelinePoolSize: -1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	switch {
	case c.Cluster:
		cluster := all.Cluster()
		cluster.DisableRoutingPolicies = true // every command has a key
		return goredis.NewClusterClient(cluster), nil
	case c.Sentinel != "":
		return goredis.NewFailoverClient(all.Failover()), nil
	}
	simple := all.Simple()
	simple.Network = options.Network
	return goredis.NewClient(simple), nil
}

func orDefault(timeout time.Duration) time.Duration {
	if timeout > 0 {
		return timeout
	}
	return ioTimeout
}
