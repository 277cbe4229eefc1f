package bolt

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

// The writer compared with bbolt itself, one put for each operation. With one
// client both wait for one commit; with many, Update commits each put and the
// writer all that wait.
func BenchmarkWriter(b *testing.B) {
	clients(b, func(b *testing.B) func(n int64) error {
		b.Helper()
		db := openTemp(b)
		value := []byte(strings.Repeat("v", 200))
		return func(n int64) error {
			return db.writer.do(b.Context(), func(engine *bbolt.Tx, _ *step) (bool, error) {
				return true, engine.Bucket(metaBucket).Put(fmt.Append(nil, n), value)
			})
		}
	})
}

func BenchmarkBareUpdate(b *testing.B) { bare(b, (*bbolt.DB).Update) }

func BenchmarkBareBatch(b *testing.B) { bare(b, (*bbolt.DB).Batch) }

func bare(b *testing.B, update func(*bbolt.DB, func(*bbolt.Tx) error) error) {
	b.Helper()
	clients(b, func(b *testing.B) func(n int64) error {
		b.Helper()
		file, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
		if err != nil {
			b.Fatalf("bbolt.Open = %v", err)
		}
		b.Cleanup(func() { _ = file.Close() })
		err = file.Update(func(engine *bbolt.Tx) error {
			_, err := engine.CreateBucket(metaBucket)
			return err
		})
		if err != nil {
			b.Fatalf("CreateBucket = %v", err)
		}
		value := []byte(strings.Repeat("v", 200))
		return func(n int64) error {
			return update(file, func(engine *bbolt.Tx) error {
				return engine.Bucket(metaBucket).Put(fmt.Append(nil, n), value)
			})
		}
	})
}

// BenchmarkFirstLogin logs new users in by a link that was stored before.
func BenchmarkFirstLogin(b *testing.B) {
	clients(b, func(b *testing.B) func(n int64) error {
		b.Helper()
		store := realm(b, openTemp(b), "main")
		const links = 500
		for from := 0; from <= b.N; from += links {
			var items []authcore.Item
			for n := from; n < from+links; n++ {
				record := link(int64(n))
				items = append(items, authcore.Item{Record: &record})
			}
			if _, err := store.Import(b.Context(), items); err != nil {
				b.Fatalf("Import = %v", err)
			}
		}
		return func(n int64) error { return firstLogin(b, store, n) }
	})
}

// BenchmarkLinkAndFirstLogin stores the link as well.
func BenchmarkLinkAndFirstLogin(b *testing.B) {
	clients(b, func(b *testing.B) func(n int64) error {
		b.Helper()
		store := realm(b, openTemp(b), "main")
		return func(n int64) error {
			err := store.PutRecord(b.Context(), link(n), authcore.PutOptions{Now: origin, Keep: 3})
			if err != nil {
				return err
			}
			return firstLogin(b, store, n)
		}
	})
}

func email(n int64) string {
	return fmt.Sprintf("user%s@example.com", authcore.DigestOf("user", fmt.Sprint(n)).String()[:8])
}

func link(n int64) authcore.Record {
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: authcore.DigestOf("link", fmt.Sprint(n)).String()},
		Owner:     email(n), Created: origin, Expires: origin.Add(15 * time.Minute), Data: []byte(strings.Repeat("d", 150)),
	}
}

// uuid returns an ID as random as those of users and sessions.
func uuid(kind string, n int64) string {
	bits := authcore.DigestOf(kind, fmt.Sprint(n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", bits[:4], bits[4:6], bits[6:8], bits[8:10], bits[10:16])
}

func firstLogin(b *testing.B, store authcore.Store, n int64) error {
	b.Helper()
	at := origin.Add(time.Duration(n) * time.Millisecond)
	account := authcore.Account{User: authcore.User{
		ID: uuid("user", n), Email: strings.ToLower(email(n)), EmailVerified: true, Created: at, LastLogin: at,
	}}
	account.Start(authcore.Session{
		ID: uuid("session", n), Client: "web", Method: "link", Created: at, Expires: at.Add(14 * 24 * time.Hour), LastSeen: at,
		IP: "2001:db8::1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		Token: authcore.SessionToken{ID: uuid("token", n), Issued: at, Expires: at.Add(time.Hour)},
	}, 100)
	_, err := store.Login(b.Context(), authcore.LoginStep{
		Now: origin, Proof: link(n).RecordKey, Refs: []authcore.UserRef{{EmailKey: account.User.Email}},
		Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
	})
	return err
}

// clients divides b.N operations among 1 and 64 clients.
func clients(b *testing.B, open func(b *testing.B) func(n int64) error) {
	b.Helper()
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			operate := open(b)
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range clients {
				running.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if err := operate(n); err != nil {
							b.Errorf("operation %d = %v", n, err)
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
