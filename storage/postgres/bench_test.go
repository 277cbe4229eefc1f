package postgres

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// benchConnections is the size of the pools.
const benchConnections = 16

// The server of the benchmarks syncs its disk, as one that people use.
func benchServer(b *testing.B) string {
	b.Helper()
	return pgtest.Start(b, "fsync=on", "full_page_writes=on", "shared_buffers=128MB", "autovacuum=on").Database(b)
}

// BenchmarkBareWrite is one row stored with pgx alone: a commit, and the sync of it.
func BenchmarkBareWrite(b *testing.B) {
	bare(b, func(b *testing.B, pool *pgxpool.Pool, key string) error {
		b.Helper()
		_, err := pool.Exec(b.Context(), `INSERT INTO bare (key, value) VALUES ($1, $2)`, key, key)
		return err
	})
}

// BenchmarkBareRead is one row read with pgx alone.
func BenchmarkBareRead(b *testing.B) {
	bare(b, func(b *testing.B, pool *pgxpool.Pool, key string) error {
		b.Helper()
		var value []byte
		return pool.QueryRow(b.Context(), `SELECT coalesce((SELECT value FROM bare WHERE key = $1), '')`, key).Scan(&value)
	})
}

func bare(b *testing.B, run func(b *testing.B, pool *pgxpool.Pool, key string) error) {
	b.Helper()
	dsn := benchServer(b)
	config, err := configure(dsn, options{schema: "bare", maxConnections: benchConnections})
	if err != nil {
		b.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	pgtest.Exec(b, dsn, `CREATE TABLE bare (key text PRIMARY KEY, value text)`)
	clients(b, func(key string) error { return run(b, pool, key) })
}

// The calls of the store beside them.
func BenchmarkStore(b *testing.B) {
	store := realm(b, openDSN(b, benchServer(b), WithMaxConnections(benchConnections)), "main")
	ctx := b.Context()
	people := make([]string, 64)
	for i := range people {
		people[i] = fmt.Sprint("person", i)
		mustEnsure(b, store, user(people[i], people[i]+"@example.com"))
	}
	var next atomic.Uint64
	somebody := func() string { return people[next.Add(1)%64] }
	for _, step := range []struct {
		name string
		run  func(key string) error
	}{
		{"User", func(string) error { return second(store.User(ctx, somebody())) }},
		{"RevocationsSince", func(string) error { _, _, err := store.RevocationsSince(ctx, ""); return err }},
		{"Count", func(key string) error {
			return second(store.Count(ctx, origin, []authcore.Counter{{Limit: "l", Party: key, Window: 1}}))
		}},
		{"PutFlow", func(key string) error {
			return store.PutFlow(ctx, authcore.Flow{State: authcore.DigestOf("flow", key), Expires: origin})
		}},
		{"Link", func(key string) error { // put and taken
			link := authcore.Link{Secret: authcore.DigestOf("link", key), EmailKey: key, Expires: origin}
			if err := store.PutLink(ctx, link); err != nil {
				return err
			}
			return second(store.TakeLink(ctx, link.Secret, origin.Add(-1)))
		}},
		{"Login", func(key string) error { // a link, a new user, a session
			link := authcore.Link{Secret: authcore.DigestOf("login", key), EmailKey: key, Expires: origin}
			if err := store.PutLink(ctx, link); err != nil {
				return err
			}
			if err := second(store.TakeLink(ctx, link.Secret, origin.Add(-1))); err != nil {
				return err
			}
			if _, _, err := store.EnsureUser(ctx, user(key, key+"@example.com")); err != nil {
				return err
			}
			return store.PutSession(ctx, session(key, key))
		}},
		{"Logout", func(key string) error { // a session put and ended
			id, person := "logout"+key, somebody()
			if err := store.PutSession(ctx, session(id, person)); err != nil {
				return err
			}
			_, err := store.EndSessions(ctx, person, func(s authcore.Session) bool { return s.ID == id }, origin)
			return err
		}},
		{"UpdateUser", func(key string) error {
			return second(store.UpdateUser(ctx, somebody(), func(u *authcore.User) error { u.Nickname = key; return nil }))
		}},
	} {
		b.Run(step.name, func(b *testing.B) { clients(b, step.run) })
	}
}

// clients shares b.N operations out among 1 and 64 clients.
func clients(b *testing.B, run func(key string) error) {
	b.Helper()
	var round atomic.Int64
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			name := fmt.Sprint(b.Name(), round.Add(1))
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range clients {
				running.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := run(fmt.Sprintf("%s-%d", name, i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			running.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}
