package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/bench/internal/load"
	inmemory "github.com/edgeauth/edgeauth/storage/memory"
)

// newRing returns the keys of an empty store.
func newRing(b *testing.B, algorithm string) *keys.Ring {
	b.Helper()
	ring := keys.New(keys.Config{
		Store: inmemory.New(), Algorithm: algorithm, Rotation: core.DefaultKeyRotation, Lifetime: core.DefaultTokenLifetime,
	})
	if err := ring.Maintain(b.Context(), time.Now()); err != nil {
		b.Fatalf("Maintain: %v", err)
	}
	return ring
}

// BenchmarkSign measures the signing of a token.
func BenchmarkSign(b *testing.B) {
	for _, algorithm := range keys.Algorithms() {
		b.Run(algorithm, func(b *testing.B) {
			r := &realm{now: time.Now(), ring: newRing(b, algorithm)}
			claims := r.claims(0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.sign(claims); err != nil {
					b.Fatalf("sign: %v", err)
				}
			}
		})
	}
}

// feedEntries is the number of revocations in the full list, deltaEntries that in the
// delta.
const feedEntries, deltaEntries = 100_000, 100

// BenchmarkFeed measures the documents of the feed at the issuer and at a verifier.
func BenchmarkFeed(b *testing.B) {
	now := time.Now().Truncate(time.Second)
	ring := newRing(b, gate.EdDSA)
	jwks, _ := ring.JWKS()
	set, err := gate.ParseJWKS(jwks)
	if err != nil {
		b.Fatalf("ParseJWKS: %v", err)
	}
	b.Run("signature alone", func(b *testing.B) {
		for b.Loop() {
			if _, err := ring.SignPublic(gate.PurposeRevocations, []byte("{}"), now); err != nil {
				b.Fatalf("SignPublic: %v", err)
			}
		}
	})
	revoked := gate.NewRevocations()
	revoke := func(kind string, n int) {
		entries := make([]gate.Revocation, n)
		for i := range entries {
			entries[i] = gate.Revocation{Kind: gate.RevokeSession, ID: uuid(kind, i), Until: now.Add(24 * time.Hour)}
		}
		revoked.Apply(entries...)
	}
	document := func(b *testing.B, since string) (parts []string) {
		b.Helper()
		payloads, err := revoked.FeedPayloads(gate.FeedOptions{Issuer: issuer, Issued: now, Expires: now.Add(time.Hour), Since: since})
		if err != nil {
			b.Fatalf("FeedPayloads(%q): %v", since, err)
		}
		for payload := range payloads {
			part, err := ring.SignPublic(gate.PurposeRevocations, payload, now)
			if err != nil {
				b.Fatalf("SignPublic: %v", err)
			}
			parts = append(parts, part)
		}
		return parts
	}
	measure := func(name, since string) {
		parts := document(b, since)
		b.Run(name+": make and sign", func(b *testing.B) {
			for b.Loop() {
				document(b, since)
			}
			b.ReportMetric(float64(len(strings.Join(parts, "\n"))), "bytes")
		})
		b.Run(name+": verify and parse", func(b *testing.B) {
			for b.Loop() {
				for _, part := range parts {
					if _, err := set.RevocationFeed(part, issuer, now); err != nil {
						b.Fatalf("RevocationFeed: %v", err)
					}
				}
			}
			b.ReportMetric(float64(len(strings.Join(parts, "\n"))), "bytes")
		})
	}
	revoke("ended", feedEntries)
	revoked.Refreshed(now.Add(-30 * time.Minute)) // older than the delta
	measure(fmt.Sprintf("%d entries", feedEntries), "")
	revoke("ended lately", deltaEntries)
	revoked.Refreshed(now)
	since := revoked.FeedSince(strconv.FormatInt(now.Unix(), 10), now)
	if since == "" {
		b.Fatal("FeedSince returned no cursor for a delta")
	}
	measure(fmt.Sprintf("delta of %d entries", deltaEntries), since)
}

// BenchmarkWrite measures one write of 200 bytes to each engine.
func BenchmarkWrite(b *testing.B) {
	value := []byte(strings.Repeat("v", 200))
	servers := &bench{TB: b, skipped: new(string)}
	engines := map[string]func(b *testing.B) func(ctx context.Context, key string) error{
		"bbolt Update": func(b *testing.B) func(context.Context, string) error { return openBolt(b, value) },
		"PostgreSQL INSERT": func(b *testing.B) func(context.Context, string) error {
			return openPostgres(b, startPostgres("")(servers), value)
		},
		"PostgreSQL INSERT with commits of 5 ms": func(b *testing.B) func(context.Context, string) error {
			return openPostgres(b, startPostgres(slowCommits)(servers), value)
		},
		"Redis SET": func(b *testing.B) func(context.Context, string) error {
			return openRedis(b, startRedis(servers), value)
		},
	}
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			write := open(b)
			var written int
			for _, clients := range []int{1, manyClients} {
				b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
					first := written
					written += b.N
					result, err := load.Share(b.Context(), clients, b.N, func(_, i int) error {
						return write(b.Context(), fmt.Sprintf("key%09d", first+i))
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

func openBolt(b *testing.B, value []byte) func(context.Context, string) error {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	b.Cleanup(func() { _ = db.Close() })
	bucket := []byte("bench")
	return func(_ context.Context, key string) error {
		return db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			return bucket.Put([]byte(key), value)
		})
	}
}

func openPostgres(b *testing.B, dsn string, value []byte) func(context.Context, string) error {
	b.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		b.Fatalf("ParseConfig: %v", err)
	}
	config.MaxConns = manyClients
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatalf("connect: %v", err)
	}
	b.Cleanup(pool.Close)
	if _, err = pool.Exec(b.Context(), `CREATE TABLE bare (key text PRIMARY KEY, value bytea NOT NULL)`); err != nil {
		b.Fatalf("create table: %v", err)
	}
	return func(ctx context.Context, key string) error {
		_, err := pool.Exec(ctx, `INSERT INTO bare VALUES ($1, $2)`, key, value)
		return err
	}
}

func openRedis(b *testing.B, url string, value []byte) func(context.Context, string) error {
	b.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		b.Fatalf("ParseURL: %v", err)
	}
	options.PoolSize = manyClients
	client := goredis.NewClient(options)
	b.Cleanup(func() { _ = client.Close() })
	return func(ctx context.Context, key string) error { return client.Set(ctx, key, value, 0).Err() }
}
