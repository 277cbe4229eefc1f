package postgres

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// benchUsers is the number of users that log in again and refresh.
const benchUsers = 1000

// benchServer starts a server that syncs its disk.
func benchServer(b *testing.B, settings ...string) string {
	b.Helper()
	settings = append([]string{"fsync=on", "full_page_writes=on", "shared_buffers=128MB", "autovacuum=on"}, settings...)
	return pgtest.Start(b, settings...).Database(b)
}

// BenchmarkBareWrite stores one row with pgx alone: a commit and its sync.
func BenchmarkBareWrite(b *testing.B) {
	dsn := benchServer(b)
	pgtest.Exec(b, dsn, `CREATE TABLE bare (key text PRIMARY KEY, value text)`)
	db := openDSN(b, dsn)
	clients(b, func(key string) error { return bareWrite(b, db.pool, key) }, func([]string) {})
}

func bareWrite(b *testing.B, pool *pgxpool.Pool, key string) error {
	b.Helper()
	_, err := pool.Exec(b.Context(), `INSERT INTO bare (key, value) VALUES ($1, $1)`, key)
	return err
}

// BenchmarkStore measures the steps of the store.
func BenchmarkStore(b *testing.B) { benchSteps(b, benchServer(b)) }

// BenchmarkSlowDisk is BenchmarkStore at commits that take 5 ms longer.
func BenchmarkSlowDisk(b *testing.B) {
	benchSteps(b, benchServer(b, "commit_delay=5000", "commit_siblings=0"))
}

func benchSteps(b *testing.B, dsn string) {
	b.Helper()
	store := realm(b, openDSN(b, dsn), "main")
	ctx := b.Context()
	users := make([]string, benchUsers)
	for i := range users {
		users[i] = fmt.Sprint("user", i)
		signUp(b, store, account(users[i], users[i]+"@example.com"))
	}
	var next atomic.Uint64
	some := func() string { return users[next.Add(1)%benchUsers] }
	for _, step := range []struct {
		name string
		run  func(key string) error
	}{
		{"User", func(string) error { return second(store.User(ctx, authcore.UserRef{ID: some()})) }},
		{"RevocationsSince", func(string) error { _, _, err := store.RevocationsSince(ctx, ""); return err }},
		{"Count", func(key string) error {
			return second(store.Count(ctx, origin, []authcore.Counter{{Limit: "l", Party: key, Window: time.Hour, Add: 1}}))
		}},
		{"PutRecord", func(key string) error {
			return store.PutRecord(ctx, record(key, key), authcore.PutOptions{Now: origin, Keep: 3})
		}},
		{"FirstLogin", func(key string) error { return login(b, store, key) }}, // the link is there
		{"LinkAndFirstLogin", func(key string) error {
			if err := store.PutRecord(ctx, record(key, key), authcore.PutOptions{Now: origin, Keep: 3}); err != nil {
				return err
			}
			return login(b, store, key)
		}},
		{"Refresh", func(key string) error {
			return second(store.UpdateAccount(ctx, some(), origin, func(a *authcore.Account) error {
				session := &a.Sessions[0]
				session.Superseded = []authcore.SupersededToken{{ID: session.Token.ID, At: origin}}
				session.Token.ID, session.Expires = key, session.Expires.Add(time.Millisecond)
				return nil
			}))
		}},
		{"OneAccount", func(key string) error { // all change the same account
			return second(store.UpdateAccount(ctx, users[0], origin, func(a *authcore.Account) error {
				a.User.Nickname = key
				return nil
			}))
		}},
		{"Logout", func(key string) error {
			return second(store.UpdateAccount(ctx, some(), origin, func(a *authcore.Account) error {
				a.Start(session(key), 1)
				return nil
			}))
		}},
	} {
		b.Run(step.name, func(b *testing.B) {
			clients(b, step.run, func(keys []string) {
				if step.name == "FirstLogin" {
					importLinks(b, store, keys)
				}
			})
		})
	}
}

// importLinks stores a link for each key.
func importLinks(b *testing.B, store *Store, keys []string) {
	b.Helper()
	for part := range slices.Chunk(keys, 500) {
		var items []authcore.Item
		for _, key := range part {
			link := record(key, key)
			items = append(items, authcore.Item{Record: &link})
		}
		if _, err := store.Import(b.Context(), items); err != nil {
			b.Fatalf("Import: %v", err)
		}
	}
}

// login logs in a new user by its link.
func login(b *testing.B, store *Store, key string) error {
	b.Helper()
	_, err := store.Login(b.Context(), authcore.LoginStep{
		Now: origin, Proof: record(key, key).RecordKey, Refs: []authcore.UserRef{{EmailKey: key + "@example.com"}},
		Decide: func(authcore.LoginFound) (authcore.Account, error) { return account(key, key+"@example.com"), nil },
	})
	return err
}

// clients distributes b.N operations over 1 and 64 clients, after prepare has run for
// the keys of all.
func clients(b *testing.B, run func(key string) error, prepare func(keys []string)) {
	b.Helper()
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			keys := make([]string, b.N)
			for i := range keys {
				keys[i] = strings.ToLower(rand.Text())
			}
			prepare(keys)
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range clients {
				running.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := run(keys[i-1]); err != nil {
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
