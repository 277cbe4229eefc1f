package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/postgres"
)

func init() {
	caddy.RegisterModule(new(PostgresStorage))
}

// PostgresStorage keeps realms in a PostgreSQL database, which any number of edges
// share. The schema is made at the first start and brought up to date at later
// ones.
type PostgresStorage struct {
	// The DSN: `postgres://user:password@host:5432/database?sslmode=verify-full` or
	// key=value pairs. Write it as a placeholder, since it has a password in it.
	DSN string `json:"dsn,omitempty" option:"-"`

	// The schema in which the tables stand. Default: `edgeauth`.
	Schema string `json:"schema,omitempty"`

	// The most connections that are opened, in addition to one for each realm that waits
	// for revocations. Default: `pool_max_conns` of the DSN, otherwise 16, or a quarter
	// of what server, database or role allow if that is less.
	MaxConnections int `json:"max_connections,omitempty"`

	dsn, schema string
}

// CaddyModule returns the Caddy module information.
func (*PostgresStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.postgres", New: func() caddy.Module { return new(PostgresStorage) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	storage postgres <dsn> {
//		schema          <name>
//		max_connections <n>
//	}
func (s *PostgresStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	arguments := d.RemainingArgs()
	if len(arguments) != 1 || arguments[0] == "" {
		return d.Errf("storage postgres: expected one argument, the DSN, for example {env.DATABASE_URL}")
	}
	s.DSN = arguments[0]
	return newBlock(d).options(nil, s)
}

// Provision checks the options. It does not connect: the database need not be
// there while a configuration is validated.
func (s *PostgresStorage) Provision(caddy.Context) error {
	err := newResolver("storage postgres").bind(
		binding{"dsn", s.DSN, &s.dsn},
		binding{"schema", s.Schema, &s.schema},
	)
	switch {
	case err != nil:
		return err
	case s.dsn == "":
		return errors.New("storage postgres: dsn: is empty; write for example {env.DATABASE_URL}, and set the variable")
	case s.MaxConnections < 0:
		return errors.New("storage postgres: max_connections: is negative")
	}
	if err := postgres.Check(s.dsn, s.options()...); err != nil {
		return fmt.Errorf("storage postgres: %w", err)
	}
	return nil
}

func (s *PostgresStorage) options() []postgres.Option {
	var options []postgres.Option
	if s.schema != "" {
		options = append(options, postgres.WithSchema(s.schema))
	}
	if s.MaxConnections > 0 {
		options = append(options, postgres.WithMaxConnections(s.MaxConnections))
	}
	return options
}

// OpenStorage returns the realm's part of the database. Realms and configurations
// with the same options share one pool of connections.
func (s *PostgresStorage) OpenStorage(ctx context.Context, realm string) (authcore.Store, func() error, error) {
	key := poolKey("postgres", []string{strconv.Itoa(s.MaxConnections), s.schema, s.dsn})
	return openRealm(ctx, realm, func() (*postgres.DB, func() error, error) {
		return acquire(key, func() (*postgres.DB, func() error, error) { return s.open(ctx) })
	})
}

func (s *PostgresStorage) open(ctx context.Context) (*postgres.DB, func() error, error) {
	db, err := postgres.Open(ctx, s.dsn, s.options()...)
	if err != nil {
		return nil, nil, err
	}
	warnings, err := db.Warnings(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	logger := processLogger("edgeauth.storage.postgres")
	for _, warning := range warnings {
		logger.Warn("PostgreSQL may lose acknowledged changes", "why", warning)
	}
	return db, db.Close, nil
}

// StorageRealms returns the realms in the database.
func (s *PostgresStorage) StorageRealms(ctx context.Context) ([]string, error) {
	names, err := postgres.Realms(ctx, s.dsn, s.options()...)
	if errors.Is(err, postgres.ErrOldSchema) {
		err = fmt.Errorf("%w: %w", ErrOldStorage, err)
	}
	return configuredRealms(names), err
}

// CheckStorage connects and looks for the schema. It does not create or migrate it,
// because a server of an older version may be using it.
func (s *PostgresStorage) CheckStorage(ctx context.Context, _ string) (string, error) {
	_, err := s.StorageRealms(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "responds; the first start creates the schema", nil
	case errors.Is(err, ErrOldStorage):
		return "responds; the schema is of an older version, and the next start migrates it", nil
	case err == nil:
		err = postgres.Rights(ctx, s.dsn, s.options()...)
	}
	return "responds and has the schema", err
}

// StorageClocks asks the server that would be used for its time.
func (s *PostgresStorage) StorageClocks(ctx context.Context) (map[string]time.Duration, error) {
	skew, err := postgres.ClockSkew(ctx, s.dsn, time.Now, s.options()...)
	return map[string]time.Duration{"": skew}, err
}

// Interface guards.
var (
	_ Storage               = (*PostgresStorage)(nil)
	_ StorageChecker        = (*PostgresStorage)(nil)
	_ StorageClock          = (*PostgresStorage)(nil)
	_ RealmLister           = (*PostgresStorage)(nil)
	_ caddy.Provisioner     = (*PostgresStorage)(nil)
	_ caddyfile.Unmarshaler = (*PostgresStorage)(nil)
)
