package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// callTimeout bounds every call and each batch of Sweep.
	callTimeout = 5 * time.Second
	// connectTimeout bounds the creation of a connection.
	connectTimeout = 5 * time.Second
	// feedConnections is the size of the pool that reads revocations.
	feedConnections = 2
	defaultSchema   = "edgeauth"
)

// DB is a pool of connections to one schema of a database with any number of
// realms. It is safe for concurrent use and must be closed. [Open] returns it.
type DB struct {
	pool, feed *pgxpool.Pool
	schema     string
	// listen configures the connections of watches.
	listen         *pgx.ConnConfig
	timeout, quiet time.Duration
	maxCounters    int
	// statements caches statements with the schema in place of "@".
	statements sync.Map

	closed chan struct{}
	close  sync.Once
}

type options struct {
	schema         string
	maxConnections int
}

// Option changes how [Open] opens a database.
type Option func(*options)

// WithSchema sets the schema of the tables; the default is "edgeauth".
func WithSchema(schema string) Option { return func(o *options) { o.schema = schema } }

// WithMaxConnections limits the connections of the pool. The default is the
// pool_max_conns of the DSN, or 32, or a quarter of what the server allows if that
// is less. The feed has two connections more, and each watch has one.
func WithMaxConnections(n int) Option { return func(o *options) { o.maxConnections = n } }

// Open connects to a database and migrates its schema. The DSN is a URL or a list
// of key=value pairs, as for pgxpool.ParseConfig; of several servers in it, Open
// uses one that accepts writes. Open fails if the database does not answer or is
// read-only, if the schema belongs to another program, or if a newer version of this
// program wrote to it. No error contains the password.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	set := settings(opts)
	config, err := configure(dsn, set)
	if err != nil {
		return nil, err
	}
	db := &DB{
		schema: set.schema, listen: config.ConnConfig.Copy(), timeout: callTimeout, quiet: quiet,
		maxCounters: maxCounters, closed: make(chan struct{}),
	}
	if config.MaxConns, err = db.prepare(ctx, config.MaxConns); err == nil {
		err = db.connect(ctx, config)
	}
	if err != nil {
		return nil, openError(config.ConnConfig, err)
	}
	return db, nil
}

// connect makes the pools, which connect when they are used.
func (db *DB) connect(ctx context.Context, config *pgxpool.Config) (err error) {
	feed := config.Copy()
	feed.MaxConns, feed.MinConns, feed.MinIdleConns = feedConnections, 0, 0
	config.ShouldPing = pingIdle(func() { db.pool.Reset() })
	feed.ShouldPing = pingIdle(func() { db.feed.Reset() })
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if db.feed, err = pgxpool.NewWithConfig(ctx, feed); err != nil {
		db.pool.Close()
	}
	return err
}

func settings(opts []Option) options {
	set := options{schema: defaultSchema}
	for _, option := range opts {
		option(&set)
	}
	return set
}

// Check reports whether Open could use the DSN and the options, without connecting.
func Check(dsn string, opts ...Option) error {
	_, err := configure(dsn, settings(opts))
	return err
}

func configure(dsn string, set options) (*pgxpool.Config, error) {
	if err := checkName("schema", set.schema, maxSchemaLength); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The error of the parser may quote the DSN with its password.
		return nil, errors.New("postgres: dsn: cannot be parsed; " +
			"write postgres://user:password@host:5432/database?sslmode=verify-full, or key=value pairs")
	}
	switch {
	case set.maxConnections > 0:
		config.MaxConns = int32(min(set.maxConnections, 1<<15))
	case !sizesPool(dsn):
		config.MaxConns = 0 // as many as fit the server
	}
	if config.ConnConfig.ConnectTimeout <= 0 || config.ConnConfig.ConnectTimeout > connectTimeout {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	// Whatever the DSN requires: a standby answers too, and may be behind.
	config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "edgeauth"
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		// A node that halts in the middle of a step does not keep its locks.
		_, err := conn.Exec(ctx, `SET idle_in_transaction_session_timeout = '5s'`, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	return config, nil
}

// in replaces "@" before a table by the schema. Names are qualified because a
// pooler in transaction mode keeps no search_path.
func (db *DB) in(statement string) string {
	if known, found := db.statements.Load(statement); found {
		return known.(string) //nolint:forcetypeassert // the map has only strings
	}
	text := qualify(db.schema, statement)
	db.statements.Store(statement, text)
	return text
}

func qualify(schema, statement string) string {
	return strings.ReplaceAll(statement, "@.", pgx.Identifier{schema}.Sanitize()+".")
}

// Close ends the watches, waits for pending calls, and closes the connections.
// Every later call fails with authcore.ErrUnavailable.
func (db *DB) Close() error {
	db.close.Do(func() { close(db.closed) })
	db.pool.Close()
	db.feed.Close()
	return nil
}

// openError adds what was tried, without the password.
func openError(config *pgx.ConnConfig, err error) error {
	return fmt.Errorf("cannot open database %q at %s port %d as user %q: %w",
		config.Database, config.Host, config.Port, config.User, err)
}
