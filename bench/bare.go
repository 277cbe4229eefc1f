package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// bareWay is one way to put a value into an engine without edgeauth.
type bareWay struct {
	name string
	// waits says that a lone client waits so long for each that fewer will do.
	waits bool
	open  func(ctx context.Context) (bareStore, error)
}

// bareStore is an engine that is open.
type bareStore struct {
	put   func(ctx context.Context, i int) error
	close func() error
}

// bareValue is what is put: some 200 bytes, as a session has.
var bareValue = []byte(strings.Repeat("v", 200))

func bareKey(i int) string { return fmt.Sprintf("key%09d", i) }

// bareEngines measures what one durable write costs in each engine by itself, on
// this disk.
func (b *bench) bareEngines(ctx context.Context, out *document, servers engineServers) error {
	table := stat.NewTable("the engine by itself, one put of 200 bytes", "clients", "per second", "p50 µs", "p99 µs")
	for _, clients := range []int{1, connections} {
		for _, way := range b.bareWays(servers) {
			b.progress("%s, %d clients", way.name, clients)
			n := b.alone
			if clients == 1 && way.waits {
				n /= 10
			}
			latencies, elapsed, err := bare(ctx, way, clients, n)
			if err != nil {
				return err
			}
			table.Add(way.name, strconv.Itoa(clients), stat.Whole(float64(n)/elapsed.Seconds()),
				stat.Whole(stat.Microseconds(latencies[n/2])), stat.Whole(stat.Microseconds(latencies[n*99/100])))
		}
	}
	out.table(table)
	return nil
}

func (b *bench) bareWays(servers engineServers) []bareWay {
	ways := []bareWay{
		{name: "bbolt `Update`", open: b.bareBolt((*bbolt.DB).Update)},
		{name: "bbolt `Batch`", waits: true, open: b.bareBolt((*bbolt.DB).Batch)}, // each waits 10 ms
	}
	if servers.postgres != "" {
		ways = append(ways, bareWay{name: "PostgreSQL `INSERT`", open: barePostgres(servers.postgres)})
	}
	if servers.redis != "" {
		ways = append(ways, bareWay{name: "Redis `SET`", open: bareRedis(servers.redis)})
	}
	return ways
}

func (b *bench) bareBolt(
	update func(*bbolt.DB, func(*bbolt.Tx) error) error,
) func(context.Context) (bareStore, error) {
	return func(context.Context) (bareStore, error) {
		dir, err := b.folder()
		if err != nil {
			return bareStore{}, err
		}
		db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, nil)
		if err != nil {
			return bareStore{}, err
		}
		bucket := []byte("bench")
		err = db.Update(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket(bucket)
			return err
		})
		return bareStore{
			put: func(_ context.Context, i int) error {
				return update(db, func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(bareKey(i)), bareValue) })
			},
			close: db.Close,
		}, err
	}
}

func barePostgres(dsn string) func(context.Context) (bareStore, error) {
	return func(ctx context.Context) (bareStore, error) {
		config, err := pgxpool.ParseConfig(dsn)
		if err != nil {
			return bareStore{}, err
		}
		config.MaxConns = connections
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return bareStore{}, err
		}
		const fresh = `DROP TABLE IF EXISTS bare; CREATE TABLE bare (key text PRIMARY KEY, value bytea NOT NULL)`
		_, err = pool.Exec(ctx, fresh)
		return bareStore{
			put: func(ctx context.Context, i int) error {
				_, err := pool.Exec(ctx, `INSERT INTO bare VALUES ($1, $2)`, bareKey(i), bareValue)
				return err
			},
			close: func() error {
				pool.Close()
				return nil
			},
		}, err
	}
}

func bareRedis(url string) func(context.Context) (bareStore, error) {
	return func(context.Context) (bareStore, error) {
		options, err := goredis.ParseURL(url)
		if err != nil {
			return bareStore{}, err
		}
		options.PoolSize = connections
		client := goredis.NewClient(options)
		return bareStore{
			put: func(ctx context.Context, i int) error {
				return client.Set(ctx, "bare:"+bareKey(i), bareValue, 0).Err()
			},
			close: client.Close,
		}, nil
	}
}

// bare returns the times of n writes, the shortest first.
func bare(ctx context.Context, way bareWay, clients, n int) (latencies []time.Duration, elapsed time.Duration, err error) {
	store, err := way.open(ctx)
	if store.close != nil {
		defer func() { err = errors.Join(err, store.close()) }()
	}
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies = make([]time.Duration, n)
	var next atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range clients {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := store.put(ctx, i); err != nil {
					cancel(err)
				}
				latencies[i] = time.Since(began)
			}
		})
	}
	running.Wait()
	elapsed = time.Since(began)
	slices.Sort(latencies)
	return latencies, elapsed, context.Cause(ctx)
}
