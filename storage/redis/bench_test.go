package redis

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// The store beside the engine by itself: SET of 200 bytes, and EVALSHA of a script
// that does a single HSET, over the same client. What "always" costs shows beside
// "no".
func BenchmarkBareSet(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		value := strings.Repeat("v", 200)
		return func(key string) error { return db.client.Set(b.Context(), key, value, 0).Err() }
	})
}

func BenchmarkBareScript(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		put := goredis.NewScript("return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])")
		value := strings.Repeat("v", 200)
		return func(key string) error { return put.Run(b.Context(), db.client, []string{"h"}, key, value).Err() }
	})
}

// BenchmarkLink is a mailed link put and taken: two steps.
func BenchmarkLink(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		return func(key string) error {
			if err := store.PutLink(b.Context(), link(key)); err != nil {
				return err
			}
			return second(store.TakeLink(b.Context(), link(key).Secret, origin))
		}
	})
}

// BenchmarkLogin is all that a login by link asks of the store: two limits, the
// link put and taken, the user found, the session put.
func BenchmarkLogin(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		return func(key string) error {
			ctx := b.Context()
			for _, limit := range []string{"link_per_ip", "login_per_ip"} {
				counters := []authcore.Counter{{Limit: limit, Party: key, Window: time.Minute}}
				if _, err := store.Count(ctx, origin, counters); err != nil {
					return err
				}
			}
			if err := store.PutLink(ctx, link(key)); err != nil {
				return err
			}
			if _, err := store.TakeLink(ctx, link(key).Secret, origin); err != nil {
				return err
			}
			made, _, err := store.EnsureUser(ctx, user("u"+key, key+"@example.com"))
			if err != nil {
				return err
			}
			return store.PutSession(ctx, session("s"+key, made.ID))
		}
	})
}

func BenchmarkUser(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		mustEnsure(b, store, user("u", "ada@example.com"))
		return func(string) error { return second(store.User(b.Context(), "u")) }
	})
}

// clients shares b.N operations out among 1 and 64 clients, with a sync for each
// write and without.
func clients(b *testing.B, open func(b *testing.B, db *DB) func(key string) error) {
	b.Helper()
	for _, fsync := range []string{"always", "everysec"} {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("fsync=%s/clients=%d", fsync, clients), func(b *testing.B) {
				server := redistest.Start(b, "appendfsync "+fsync)
				db := openFor(b, Config{URL: server.URL() + "?pool_size=64"})
				defer closeDB(b, db)
				operate := open(b, db)
				var next atomic.Int64
				var running sync.WaitGroup
				b.ResetTimer()
				for range clients {
					running.Go(func() {
						for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
							if err := operate(fmt.Sprintf("key%09d", i)); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				running.Wait()
				b.StopTimer()
			})
		}
	}
}

// BenchmarkMemory says what a user with one session and one identity takes.
func BenchmarkMemory(b *testing.B) {
	server := redistest.Start(b, "appendonly no")
	db := openFor(b, Config{URL: server.URL()})
	defer closeDB(b, db)
	store := realm(b, db, "main")
	used := func() int64 {
		info := parseInfo(fmt.Sprint(server.Do(b, "info", "memory")))
		var n int64
		_, _ = fmt.Sscan(info["used_memory"], &n)
		return n
	}
	before := used()
	ctx := context.WithoutCancel(b.Context())
	for i := range b.N {
		id := fmt.Sprintf("%08d-9c0b-4ef8-bb6d-6bb9bd380a11", i)
		person := user(id, fmt.Sprintf("person%d@example.com", i))
		person.FirstName, person.LastName = "Ada", "Lovelace"
		if _, _, err := store.EnsureUser(ctx, person); err != nil {
			b.Fatal(err)
		}
		if err := store.LinkIdentity(ctx, authcore.Identity{Provider: "github", Subject: fmt.Sprint(i), UserID: id}); err != nil {
			b.Fatal(err)
		}
		login := session(id, id)
		login.Client, login.Method, login.IP, login.UserAgent = "web", "link", "2001:db8::1", strings.Repeat("Mozilla ", 12)
		if err := store.PutSession(ctx, login); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(used()-before)/float64(b.N), "B/user")
}
