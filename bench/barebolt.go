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

	"go.etcd.io/bbolt"

	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// bareBolt measures the database by itself: what one durable write costs on this
// disk.
func (b *bench) bareBolt(ctx context.Context, out *document) error {
	table := stat.NewTable("bbolt by itself, one put of 200 bytes", "clients", "per second", "p50 µs", "p99 µs")
	for _, clients := range []int{1, connections} {
		for _, way := range []struct {
			name   string
			update func(*bbolt.DB, func(*bbolt.Tx) error) error
		}{{"`Update`", (*bbolt.DB).Update}, {"`Batch`", (*bbolt.DB).Batch}} {
			b.progress("bbolt: %s, %d clients", way.name, clients)
			n := b.alone
			if clients == 1 && way.name == "`Batch`" {
				n /= 10 // each waits 10 ms
			}
			latencies, elapsed, err := b.bare(ctx, clients, n, way.update)
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

// bare returns the times of n writes, the shortest first.
func (b *bench) bare(
	ctx context.Context, clients, n int, update func(*bbolt.DB, func(*bbolt.Tx) error) error,
) (latencies []time.Duration, elapsed time.Duration, err error) {
	dir, err := b.folder()
	if err != nil {
		return nil, 0, err
	}
	db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, nil)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	bucket, value := []byte("bench"), []byte(strings.Repeat("v", 200))
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
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
				err := update(db, func(tx *bbolt.Tx) error {
					return tx.Bucket(bucket).Put(fmt.Appendf(nil, "key%09d", i), value)
				})
				if err != nil {
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
