package caddymodule

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/redis"
)

func init() {
	caddy.RegisterModule(new(RedisStorage))
	// The client library has one logger for the process, and writes to the standard
	// error without it.
	redis.SetLogger(processLogger("edgeauth.redis"))
}

// RedisStorage keeps realms in a Redis or Valkey that any number of edges share: a
// server, a group under Sentinels or a Cluster. How durable an answer is, is set in
// Redis itself; settings that would lose accounts are named in the log at the
// start.
type RedisStorage struct {
	// Where Redis is: `redis://[user:password@]host[:port][/db]`, `rediss://…` for
	// TLS, or `unix:///path`, with special characters of user and password
	// percent-encoded. With `sentinel` and `cluster` it names one Sentinel or node;
	// others follow as `?addr=host:port&addr=…`. Can contain placeholders. Required.
	URL string `json:"url,omitempty" option:"-"`
	// The name under which Sentinels know the primary. The URL then names
	// Sentinels; user and password in it are those of the servers. Can contain
	// placeholders.
	Sentinel string `json:"sentinel,omitempty"`
	// The user of the Sentinels themselves, where they have one. Can contain
	// placeholders.
	SentinelUsername string `json:"sentinel_username,omitempty"`
	// The password of the Sentinels themselves, where they have one. Can contain
	// placeholders.
	SentinelPassword string `json:"sentinel_password,omitempty"`
	// The URL names nodes of a Redis Cluster. Default: false.
	Cluster bool `json:"cluster,omitempty"`
	// A PEM file with the authorities that must have signed the certificates of
	// servers. Can contain placeholders. Default: those of the system.
	TLSCA string `json:"tls_ca,omitempty"`
	// Two PEM files, the client certificate and its key. Can
	// contain placeholders. Default: none.
	TLSClient []string `json:"tls_client,omitempty"`
	// The number of replicas that must have a change before it is acknowledged. With
	// fewer, the answer is 503 after a second. Acknowledged changes survive when such a
	// replica takes over. Default: 0.
	WaitReplicas int `json:"wait_replicas,omitempty"`
	// The prefix of all keys. Can contain placeholders. Default: `edgeauth:`.
	KeyPrefix string `json:"key_prefix,omitempty"`

	config redis.Config
	// pool is the key of the shared connection: a digest of all that config is
	// made of.
	pool string
}

// CaddyModule returns the Caddy module information.
func (*RedisStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.redis", New: func() caddy.Module { return new(RedisStorage) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	storage redis <url> {
//		sentinel          <master>
//		sentinel_username <user>
//		sentinel_password <password>
//		cluster
//		tls_ca            <file>
//		tls_client        <certificate_file> <key_file>
//		wait_replicas     <n>
//		key_prefix        <prefix>
//	}
func (s *RedisStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	b := newBlock(d)
	if err := b.argument(&s.URL); err != nil {
		return err
	}
	return b.options(map[string]func(*block) error{"tls_client": s.parseTLSClient}, s)
}

// parseTLSClient reads: tls_client <certificate_file> <key_file>.
func (s *RedisStorage) parseTLSClient(b *block) error {
	if err := b.once(); err != nil {
		return err
	}
	if s.TLSClient = b.RemainingArgs(); len(s.TLSClient) != 2 {
		return b.Errf("tls_client: expected two files, a certificate and its key, got %d", len(s.TLSClient))
	}
	return nil
}

// Provision checks the options and reads the certificates. It does not connect.
func (s *RedisStorage) Provision(caddy.Context) error {
	const where = "storage redis"
	var authorities string
	resolve := newResolver(where)
	err := resolve.bind(
		binding{"url", s.URL, &s.config.URL},
		binding{"sentinel", s.Sentinel, &s.config.Sentinel},
		binding{"sentinel_username", s.SentinelUsername, &s.config.SentinelUsername},
		binding{"sentinel_password", s.SentinelPassword, &s.config.SentinelPassword},
		binding{"tls_ca", s.TLSCA, &authorities},
		binding{"key_prefix", s.KeyPrefix, &s.config.KeyPrefix},
	)
	if err != nil {
		return err
	}
	client, err := resolve.list("tls_client", s.TLSClient)
	if err != nil {
		return err
	}
	if len(client) != 0 && len(client) != 2 {
		return fmt.Errorf("%s: tls_client: expected two files, a certificate and its key", where)
	}
	s.config.Cluster, s.config.WaitReplicas = s.Cluster, s.WaitReplicas
	files, err := s.loadCertificates(authorities, client)
	if err == nil {
		err = s.config.Validate()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	s.pool = poolKey("redis", append(files,
		s.config.URL, s.config.Sentinel, s.config.SentinelUsername, s.config.SentinelPassword,
		strconv.FormatBool(s.Cluster), strconv.Itoa(s.WaitReplicas), s.config.KeyPrefix,
	))
	return nil
}

// loadCertificates reads the files, where there are any, and returns what is in
// them.
func (s *RedisStorage) loadCertificates(authorities string, client []string) ([]string, error) {
	var contents []string
	read := func(option, path string) error {
		content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return fmt.Errorf("%s: %w", option, err)
		}
		contents = append(contents, string(content))
		return nil
	}
	if authorities != "" {
		if err := read("tls_ca", authorities); err != nil {
			return nil, err
		}
		s.config.Roots = x509.NewCertPool()
		if !s.config.Roots.AppendCertsFromPEM([]byte(contents[0])) {
			return nil, fmt.Errorf("tls_ca: %s holds no certificate in PEM form", authorities)
		}
	}
	for _, file := range client {
		if err := read("tls_client", file); err != nil {
			return nil, err
		}
	}
	if len(client) > 0 {
		n := len(contents)
		pair, err := tls.X509KeyPair([]byte(contents[n-2]), []byte(contents[n-1]))
		if err != nil {
			return nil, fmt.Errorf("tls_client: %w", err)
		}
		s.config.Certificates = []tls.Certificate{pair}
	}
	return contents, nil
}

// OpenStorage returns the realm in Redis. The connections are shared by all realms
// and configurations of the process that name the same Redis in the same way.
func (s *RedisStorage) OpenStorage(ctx context.Context, realm string) (authcore.Store, func() error, error) {
	store, release, err := openRealm(ctx, realm, func() (*redis.DB, func() error, error) {
		return acquire(s.pool, func() (*redis.DB, func() error, error) { return s.open(ctx) })
	})
	if err != nil {
		return nil, nil, unusableRedis(err)
	}
	return store, release, nil
}

func (s *RedisStorage) open(ctx context.Context) (*redis.DB, func() error, error) {
	db, err := redis.Open(s.config)
	if err != nil {
		return nil, nil, err
	}
	warnings, err := db.Warnings(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	logger := processLogger("edgeauth.storage.redis")
	for _, warning := range warnings {
		logger.Warn("Redis may lose acknowledged changes", "why", warning)
	}
	return db, db.Close, nil
}

// askRedis connects for one question.
func askRedis[T any](config redis.Config, ask func(*redis.DB) (T, error)) (answer T, err error) {
	db, err := redis.Open(config)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if answer, err = ask(db); err != nil {
		return answer, unusableRedis(err)
	}
	return answer, nil
}

// StorageRealms returns the realms below the prefix. The user needs the right to
// SCAN.
func (s *RedisStorage) StorageRealms(ctx context.Context) ([]string, error) {
	names, err := askRedis(s.config, func(db *redis.DB) ([]string, error) { return db.Realms(ctx) })
	return configuredRealms(names), err
}

// CheckStorage connects and reports settings of Redis that lose data.
func (s *RedisStorage) CheckStorage(ctx context.Context, _ string) (string, error) {
	warnings, err := askRedis(s.config, func(db *redis.DB) ([]string, error) { return db.Warnings(ctx) })
	if len(warnings) > 0 {
		return "responds, but may lose acknowledged changes: " + strings.Join(warnings, "; "), err
	}
	return "responds as expected", err
}

// StorageClocks asks every primary for its time.
func (s *RedisStorage) StorageClocks(ctx context.Context) (map[string]time.Duration, error) {
	return askRedis(s.config, func(db *redis.DB) (map[string]time.Duration, error) { return db.ClockSkews(ctx, time.Now) })
}

func unusableRedis(err error) error {
	return fmt.Errorf("redis cannot be used: %w; is it running, and are address, user and password in the URL right?", err)
}

// Interface guards.
var (
	_ Storage               = (*RedisStorage)(nil)
	_ StorageChecker        = (*RedisStorage)(nil)
	_ StorageClock          = (*RedisStorage)(nil)
	_ RealmLister           = (*RedisStorage)(nil)
	_ caddy.Provisioner     = (*RedisStorage)(nil)
	_ caddyfile.Unmarshaler = (*RedisStorage)(nil)
)
