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

// DefaultKeyPrefix is the default of Config.KeyPrefix.
const DefaultKeyPrefix = "edgeauth:"

// ioTimeout bounds connecting, reading, writing, and the wait for a free connection,
// unless the URL has another value. An idle connection is closed after the same
// time: if a machine vanishes, one call finds out after ioTimeout, and meanwhile the
// other connections become too old to be tried one after the other.
const ioTimeout = 2 * time.Second

// parameters lists the parameters that a URL may have. Others of go-redis would
// direct reads to replicas, send commands twice, or skip the check of certificates.
var parameters = []string{
	"db", "dial_timeout", "read_timeout", "write_timeout", "pool_timeout", "pool_size", "conn_max_idle_time",
}

// Config describes how to reach a Redis.
type Config struct {
	// URL is redis://[user:password@]host:port/[db], rediss:// for TLS, or
	// unix://[user:password@]/path?db=n. With Sentinel and Cluster it names one
	// Sentinel or node, and others by "addr=host:port", which may be repeated;
	// user and password are those of the servers. Further parameters are
	// dial_timeout, read_timeout, write_timeout, pool_timeout, pool_size and
	// conn_max_idle_time. The URL may contain a password: no error cites it.
	URL string
	// Sentinel is the name that Sentinels have for the primary, or "".
	Sentinel string
	// SentinelUsername and SentinelPassword log in to the Sentinels themselves.
	SentinelUsername, SentinelPassword string
	// Cluster reports that the URL names nodes of a Redis Cluster.
	Cluster bool
	// Roots verify the certificates of servers; nil selects those of the system.
	Roots *x509.CertPool
	// Certificates are offered to servers that ask for one.
	Certificates []tls.Certificate
	// WaitReplicas is the number of replicas that must have a change before it is
	// acknowledged. If fewer have it after a second, the error wraps
	// authcore.ErrUnavailable.
	WaitReplicas int
	// KeyPrefix begins all keys. It contains neither braces, which Redis Cluster
	// interprets, nor any of *?[]\, which patterns do.
	KeyPrefix string
}

// Validate finds the errors that can be found without a connection.
func (c Config) Validate() error {
	_, _, err := c.parse()
	return err
}

// parse returns the options for one server, and all addresses.
func (c Config) parse() (*goredis.Options, []string, error) {
	several := c.Cluster || c.Sentinel != ""
	switch {
	case c.Cluster && c.Sentinel != "":
		return nil, nil, errors.New("redis: sentinel and cluster: both are set; remove one")
	case c.Sentinel == "" && c.SentinelUsername+c.SentinelPassword != "":
		return nil, nil, errors.New("redis: sentinel: a user or password is set, but no name of a primary; set sentinel")
	case c.WaitReplicas < 0:
		return nil, nil, errors.New("redis: wait_replicas: the number is negative; use 0 or more")
	case strings.ContainsAny(c.KeyPrefix, `{}*?[]\`):
		return nil, nil, errors.New(`redis: key_prefix: it contains one of {}*?[]\; remove it`)
	}
	// Errors of the parsers cite the URL.
	parsed, err := url.Parse(c.URL)
	if err != nil || !slices.Contains([]string{"redis", "rediss", "unix"}, parsed.Scheme) {
		return nil, nil, errors.New("redis: url: it is not valid; use redis://user:password@host:6379/0, rediss://… or unix:///path, " +
			"and encode characters such as @, /, # and % in a password by percent signs")
	}
	query := parsed.Query()
	more := query["addr"]
	query.Del("addr")
	for name := range query {
		if !slices.Contains(parameters, name) {
			return nil, nil, fmt.Errorf("redis: url: unknown parameter; use %s or addr", strings.Join(parameters, ", "))
		}
	}
	parsed.RawQuery = query.Encode()
	options, err := goredis.ParseURL(parsed.String())
	if err != nil {
		return nil, nil, errors.New("redis: url: the host, port, database number or a parameter is not valid; correct it")
	}
	switch {
	case options.TLSConfig == nil && (c.Roots != nil || len(c.Certificates) > 0):
		return nil, nil, errors.New("redis: url: certificates are set, but TLS is not; use rediss://")
	case len(more) > 0 && !several:
		return nil, nil, errors.New("redis: url: addr is set without sentinel or cluster; set one of them")
	case several && options.Network != "tcp":
		return nil, nil, errors.New("redis: url: Sentinels and a Cluster need redis:// or rediss://; change the URL")
	case c.Cluster && options.DB != 0:
		return nil, nil, errors.New("redis: url: a Cluster has only database 0; remove the number")
	}
	for _, address := range more {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return nil, nil, errors.New("redis: url: addr is not of the form host:port; correct it")
		}
	}
	return options, append([]string{options.Addr}, more...), nil
}

// client makes a client, which connects when it is used.
func (c Config) client() (goredis.UniversalClient, error) {
	options, addresses, err := c.parse()
	if err != nil {
		return nil, err
	}
	if secure := options.TLSConfig; secure != nil {
		secure.RootCAs, secure.Certificates, secure.MinVersion = c.Roots, c.Certificates, tls.VersionTLS12
		if c.Cluster || c.Sentinel != "" {
			secure.ServerName = "" // each by its own name
		}
	}
	all := &goredis.UniversalOptions{
		Addrs: addresses, DB: options.DB, Username: options.Username, Password: options.Password,
		MasterName: c.Sentinel, SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword,
		TLSConfig: options.TLSConfig, IsClusterMode: c.Cluster,
		DialTimeout: cmp.Or(max(0, options.DialTimeout), ioTimeout), ReadTimeout: cmp.Or(max(0, options.ReadTimeout), ioTimeout),
		WriteTimeout: cmp.Or(max(0, options.WriteTimeout), ioTimeout), PoolTimeout: cmp.Or(max(0, options.PoolTimeout), ioTimeout),
		PoolSize: options.PoolSize, ConnMaxIdleTime: cmp.Or(options.ConnMaxIdleTime, ioTimeout),
		ContextTimeoutEnabled: true,
		// See type once. A Cluster follows redirections by itself.
		MaxRetries: -1, DialerRetries: 1,
		// Not used: RESP3, a separate pool for pipelines, the name of the library,
		// notifications of maintenance.
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
