package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
)

// DB is a connection to a Redis: a server, a group under Sentinels or a Cluster.
// It holds any number of realms, is safe for concurrent use and must be closed.
// [Open] makes one.
type DB struct {
	client    goredis.UniversalClient
	keyPrefix string
	replicas  int
	scripts   map[string]script
	counters  counterBounds
	// Tests replace the constants callTimeout and replicaTimeout.
	timeout, replicaTimeout time.Duration

	mu     sync.Mutex
	ended  bool
	closed chan struct{}
	calls  sync.WaitGroup
}

// Open makes a DB. It connects when the first realm is opened.
func Open(config Config) (*DB, error) {
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	prefix := config.KeyPrefix
	if prefix == "" {
		prefix = DefaultKeyPrefix
	}
	return &DB{
		client: client, keyPrefix: prefix, replicas: config.WaitReplicas, scripts: loadScripts(),
		counters: counterBounds{hashes: counterHashes, perHash: countersPerHash}, closed: make(chan struct{}),
		timeout: callTimeout, replicaTimeout: replicaTimeout,
	}, nil
}

// Close ends the watches, closes the connections and waits for pending calls. Later
// calls fail with [authcore.ErrUnavailable]. Close may be called again.
func (db *DB) Close() error {
	db.mu.Lock()
	ended := db.ended
	db.ended = true
	db.mu.Unlock()
	if ended {
		return nil
	}
	close(db.closed)
	err := db.client.Close()
	db.calls.Wait()
	return err
}

// begin registers a call, unless the DB is closed. The caller then calls
// db.calls.Done.
func (db *DB) begin() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.ended {
		return unavailable(errClosed)
	}
	db.calls.Add(1)
	return nil
}

// Store is one realm of a DB. It implements [authcore.Store] and lives until the DB
// is closed. [DB.Realm] returns one.
type Store struct {
	db     *DB
	prefix string
	epoch  string
	// direct and waiting send commands; those in waiting wait for replicas.
	direct, waiting lane
}

var _ authcore.Store = (*Store)(nil)

// Realm opens the realm with this name and creates it if it is missing. It fails if
// the server cannot be reached or if a newer program wrote to the realm.
func (db *DB) Realm(ctx context.Context, name string) (*Store, error) {
	if name == "" {
		return nil, errors.New("redis: realm: the name is empty; set one")
	}
	s := &Store{db: db, prefix: db.keyPrefix + "{" + escape(name) + "}:"}
	answer, err := s.elements(ctx, 2, "open", []string{s.key("meta")}, strconv.Itoa(authcore.Format), rand.Text())
	if err != nil {
		return nil, err
	}
	opened := texts(answer)
	switch format, err := strconv.Atoi(opened[0]); {
	case err != nil || format < 1:
		return nil, fmt.Errorf("redis: the keys below %s belong to another program; set another key prefix", s.prefix)
	case format > authcore.Format:
		return nil, fmt.Errorf("redis: the keys below %s have format %d, this program supports %d; "+
			"run the newer program or restore the backup made before it ran", s.prefix, format, authcore.Format)
	}
	s.epoch = opened[1]
	return s, nil
}

// key joins a key of the realm.
func (s *Store) key(parts ...string) string { return s.prefix + strings.Join(parts, "") }

// escape keeps letters, digits, '-', '_' and '.', so that the name of a realm
// contains neither the end of a hash tag nor a pattern.
func escape(name string) string {
	var escaped strings.Builder
	for _, b := range []byte(name) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
			escaped.WriteByte(b)
		default:
			fmt.Fprintf(&escaped, "%%%02x", b)
		}
	}
	return escaped.String()
}
