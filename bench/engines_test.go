package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/bench/internal/load"
)

// BenchmarkWrite measures one write of 200 bytes to each engine.
func BenchmarkWrite(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *bench) func(ctx context.Context, key, value string) error
	}{
		{"bbolt Update", openBolt},
		{"PostgreSQL INSERT", func(b *bench) func(context.Context, string, string) error {
			return openPostgres(b, startPostgres("")(b))
		}},
		{"PostgreSQL INSERT with commits of 5 ms", func(b *bench) func(context.Context, string, string) error {
			return openPostgres(b, startPostgres(slowCommits)(b))
		}},
		{"Redis SET", openRedis},
	} {
		b.Run(engine.name, func(b *testing.B) {
			write := engine.open(&bench{B: b, skipped: new(string)})
			written, value := 0, strings.Repeat("v", 200)
			for _, clients := range []int{1, manyClients} {
				b.Run(fmt.Sprintf("clients %d", clients), func(b *testing.B) {
					first := written
					written += b.N
					result, err := load.Share(b.Context(), clients, b.N, func(_, i int) error {
						return write(b.Context(), fmt.Sprintf("key%09d", first+i), value)
					})
					if err != nil {
						b.Fatalf("write: %v", err)
					}
					b.ReportMetric(result.Rate(), "op/s")
				})
			}
		})
	}
}

func openBolt(b *bench) func(context.Context, string, string) error {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
	b.check(err)
	b.Cleanup(func() { _ = db.Close() })
	return func(_ context.Context, key, value string) error {
		return db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("bench"))
			if err != nil {
				return err
			}
			return bucket.Put([]byte(key), []byte(value))
		})
	}
}

func openPostgres(b *bench, dsn string) func(context.Context, string, string) error {
	config, err := pgxpool.ParseConfig(dsn)
	b.check(err)
	config.MaxConns = manyClients
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	b.check(err)
	b.Cleanup(pool.Close)
	_, err = pool.Exec(b.Context(), `CREATE TABLE bare (key text PRIMARY KEY, value text NOT NULL)`)
	b.check(err)
	// Open the connections before the measurement.
	_, err = load.Share(b.Context(), manyClients, 10*manyClients, func(int, int) error { return pool.Ping(b.Context()) })
	b.check(err)
	return func(ctx context.Context, key, value string) error {
		_, err := pool.Exec(ctx, `INSERT INTO bare VALUES ($1, $2)`, key, value)
		return err
	}
}

func openRedis(b *bench) func(context.Context, string, string) error {
	options, err := goredis.ParseURL(startRedis(b))
	b.check(err)
	options.PoolSize = manyClients
	client := goredis.NewClient(options)
	b.Cleanup(func() { _ = client.Close() })
	return func(ctx context.Context, key, value string) error { return client.Set(ctx, key, value, 0).Err() }
}
