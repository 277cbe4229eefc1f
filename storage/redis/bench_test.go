//go:build unix

package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// BenchmarkBareSet and BenchmarkBareScript measure the engine by itself: SET of 200
// bytes, and a script that does a single HSET, over the same client.
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

// BenchmarkLink stores a link and logs in a known user with it.
func BenchmarkLink(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		return func(key string) error {
			link := record(key)
			if err := store.PutRecord(b.Context(), link, authcore.PutOptions{Now: start, Keep: 3}); err != nil {
				return err
			}
			_, err := store.TakeRecord(b.Context(), link.RecordKey, start)
			return err
		}
	})
}

// BenchmarkLogin measures the first login of a user by link: two limits, the link
// stored, and the login.
func BenchmarkLogin(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		return func(key string) error {
			ctx := b.Context()
			for _, limit := range []string{"link_per_ip", "login_per_ip"} {
				counters := []authcore.Counter{{Limit: limit, Party: key, Window: time.Minute, Add: 1}}
				if _, err := store.Count(ctx, start, counters); err != nil {
					return err
				}
			}
			link := record(key)
			if err := store.PutRecord(ctx, link, authcore.PutOptions{Now: start, Keep: 3}); err != nil {
				return err
			}
			account := authcore.Account{User: user(id(key), key+"@example.com"), Sessions: []authcore.Session{session(id("s" + key))}}
			_, err := store.Login(ctx, authcore.LoginStep{
				Now: start, Proof: link.RecordKey, Refs: []authcore.UserRef{{EmailKey: key + "@example.com"}},
				Decide: func(found authcore.LoginFound) (authcore.Account, error) {
					if found.Accounts[0].User.ID != "" {
						return account, errors.New("the user exists")
					}
					return account, nil
				},
			})
			return err
		}
	})
}

// BenchmarkRefresh measures a refresh: one session of one account changes.
func BenchmarkRefresh(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		const users = 1000
		for i := range users {
			name := fmt.Sprint(i)
			signUp(b, store, authcore.Account{User: user(id(name), name+"@example.com"), Sessions: []authcore.Session{session(id("s" + name))}})
		}
		var next atomic.Int64
		return func(key string) error {
			_, err := store.UpdateAccount(b.Context(), id(fmt.Sprint(next.Add(1)%users)), start, func(a *authcore.Account) error {
				a.Sessions[0].Token.ID = id(key)
				a.Sessions[0].Expires = a.Sessions[0].Expires.Add(time.Second)
				return nil
			})
			return err
		}
	})
}

func BenchmarkUser(b *testing.B) {
	clients(b, func(b *testing.B, db *DB) func(key string) error {
		b.Helper()
		store := realm(b, db, "main")
		signUp(b, store, authcore.Account{User: user("u", "ada@example.com")})
		return func(string) error {
			_, err := store.User(b.Context(), authcore.UserRef{ID: "u"})
			return err
		}
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
				db := openUnchanged(b, Config{URL: server.URL() + "?pool_size=64"})
				defer closeDB(b, db)
				operate := open(b, db)
				var next atomic.Int64
				var running sync.WaitGroup
				b.ResetTimer()
				before := cpu(b, server)
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
				after := cpu(b, server)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
				b.ReportMetric((after[0]-before[0])*1e6/float64(b.N), "client-µs/op")
				b.ReportMetric((after[1]-before[1])*1e6/float64(b.N), "server-µs/op")
			})
		}
	}
}

// cpu returns the processor time of this process and of the server, in seconds.
func cpu(tb testing.TB, server *redistest.Server) [2]float64 {
	tb.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		tb.Fatalf("Getrusage failed: %v", err)
	}
	info := parseInfo(fmt.Sprint(server.Do(tb, "info", "cpu")))
	total := 0.0
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		seconds, _ := strconv.ParseFloat(info[field], 64)
		total += seconds
	}
	return [2]float64{float64(own.Utime.Nano()+own.Stime.Nano()) / 1e9, total}
}

// BenchmarkMemory reports the memory of a user with one session and one identity.
func BenchmarkMemory(b *testing.B) {
	server := redistest.Start(b, "appendonly no")
	db := openUnchanged(b, Config{URL: server.URL()})
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
		name := fmt.Sprint("person", i)
		account := authcore.Account{User: user(id(name), name+"@example.com"), Sessions: []authcore.Session{session(id("s" + name))}}
		account.User.FirstName, account.User.LastName = "Ada", "Lovelace"
		account.Identities = []authcore.Identity{{Provider: "github", Subject: fmt.Sprint(i), PublicID: id("i" + name), Created: start}}
		login := &account.Sessions[0]
		login.Client, login.Method, login.IP, login.UserAgent = "web", "link", "2001:db8::1", strings.Repeat("Mozilla ", 12)
		step := authcore.LoginStep{Now: start, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil }}
		if _, err := store.Login(ctx, step); err != nil {
			b.Fatalf("Login failed: %v", err)
		}
	}
	b.ReportMetric(float64(used()-before)/float64(b.N), "B/user")
}
