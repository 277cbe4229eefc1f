package bolt

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

// The writer against bbolt by itself, one put for each operation. With one client
// both wait for one fsync; with many, Update has an fsync for each and the writer
// one for all who wait.
func BenchmarkWriter(b *testing.B) {
	clients(b, func(b *testing.B) func(key []byte) error {
		b.Helper()
		db := openTemp(b)
		value := []byte(strings.Repeat("v", 200))
		return func(key []byte) error {
			return db.writer.do(b.Context(), func(engine *bbolt.Tx) (bool, error) {
				return true, engine.Bucket(metaBucket).Put(key, value)
			})
		}
	})
}

func BenchmarkBareUpdate(b *testing.B) { bare(b, (*bbolt.DB).Update) }

func BenchmarkBareBatch(b *testing.B) { bare(b, (*bbolt.DB).Batch) }

func bare(b *testing.B, update func(*bbolt.DB, func(*bbolt.Tx) error) error) {
	b.Helper()
	clients(b, func(b *testing.B) func(key []byte) error {
		b.Helper()
		file, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = file.Close() })
		err = file.Update(func(engine *bbolt.Tx) error {
			_, err := engine.CreateBucket(metaBucket)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		value := []byte(strings.Repeat("v", 200))
		return func(key []byte) error {
			return update(file, func(engine *bbolt.Tx) error { return engine.Bucket(metaBucket).Put(key, value) })
		}
	})
}

// BenchmarkLogin is a mailed link put and taken.
func BenchmarkLogin(b *testing.B) {
	clients(b, func(b *testing.B) func(key []byte) error {
		b.Helper()
		store := realm(b, openTemp(b), "main")
		return func(key []byte) error {
			link := authcore.Link{
				Secret: authcore.DigestOf("link", string(key)), EmailKey: string(key), Expires: origin,
			}
			if err := store.PutLink(b.Context(), link); err != nil {
				return err
			}
			_, err := store.TakeLink(b.Context(), link.Secret, origin.Add(-1))
			return err
		}
	})
}

// clients shares b.N operations out among 1 and 64 clients.
func clients(b *testing.B, open func(b *testing.B) func(key []byte) error) {
	b.Helper()
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			put := open(b)
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range clients {
				running.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := put(fmt.Appendf(nil, "key%09d", i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			running.Wait()
		})
	}
}
