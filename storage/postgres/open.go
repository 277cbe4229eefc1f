package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// callTimeout bounds every call and each batch of Sweep, whatever time its
	// caller has: a server that hangs is found out by it.
	callTimeout = 5 * time.Second
	// connectTimeout bounds the making of a connection.
	connectTimeout = 5 * time.Second
	// defaultSchema is where the tables stand.
	defaultSchema = "edgeauth"
)

// DB is a pool of connections to one schema of a database, with any number of
// realms. It is safe for concurrent use and must be closed. Make it with Open.
type DB struct {
	pool   *pgxpool.Pool
	tables tables
	// listen is how WatchRevocations connects.
	listen  *pgx.ConnConfig
	timeout time.Duration
	quiet   time.Duration

	mu      sync.Mutex
	closed  bool
	watches map[*watch]struct{}
}

type options struct {
	schema         string
	maxConnections int
}

// Option changes how Open opens a database.
type Option func(*options)

// WithSchema sets the schema in which the tables stand; the default is
// "edgeauth".
func WithSchema(schema string) Option { return func(o *options) { o.schema = schema } }

// WithMaxConnections sets how many connections the pool opens at most; the default
// is what the DSN says (pool_max_conns), or 16, or a quarter of what the server
// allows if that is less. Each watch on revocations has one more.
func WithMaxConnections(n int) Option { return func(o *options) { o.maxConnections = n } }

// Open connects to a database and brings its schema up to date. The DSN is a URL
// or a list of key=value, as pgxpool.ParseConfig reads it. Open fails when the
// database does not answer or is read only, when the schema is not ours, or when a
// newer version made it. Of several servers in the DSN the one is used that can be
// written to. No error has the password in it.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	set := settings(opts)
	config, err := configure(dsn, set)
	if err != nil {
		return nil, err
	}
	db := &DB{
		tables:  newTables(set.schema),
		listen:  config.ConnConfig.Copy(),
		timeout: callTimeout,
		quiet:   quiet,
		watches: make(map[*watch]struct{}),
	}
	config.ShouldPing = db.lost
	if config.MaxConns, err = db.prepare(ctx, config.MaxConns); err == nil {
		db.pool, err = pgxpool.NewWithConfig(ctx, config)
	}
	if err != nil {
		return nil, openError(config.ConnConfig, err)
	}
	return db, nil
}

func settings(opts []Option) options {
	set := options{schema: defaultSchema}
	for _, option := range opts {
		option(&set)
	}
	return set
}

// Check reports whether Open could take the DSN and the options, without connecting.
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
		// The error of the parser may cite the DSN with its password.
		return nil, errors.New("postgres: the DSN cannot be read: " +
			"write postgres://user:password@host:5432/database?sslmode=verify-full, or key=value pairs")
	}
	switch {
	case set.maxConnections > 0:
		config.MaxConns = int32(min(set.maxConnections, 1<<15))
	case !sizesPool(dsn):
		config.MaxConns = 0 // what fits the server
	}
	if config.ConnConfig.ConnectTimeout <= 0 || config.ConnConfig.ConnectTimeout > connectTimeout {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	// Whatever the DSN says: a standby answers, and may be behind.
	config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "edgeauth"
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	return config, nil
}

// Close ends the watches, waits for the calls that are under way, and closes the
// connections. Every later call fails with authcore.ErrUnavailable. Closing again
// is no error.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	for watch := range db.watches {
		watch.cancel()
	}
	db.mu.Unlock()
	db.pool.Close()
	return nil
}

// openError says what was tried. ConnectError names user, database and address, and
// never the password.
func openError(config *pgx.ConnConfig, err error) error {
	return fmt.Errorf("postgres: cannot open database %q at %s port %d as user %q: %w",
		config.Database, config.Host, config.Port, config.User, err)
}
