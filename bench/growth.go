package main

import (
	"context"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/bench/internal/edge"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// revokedGoal is how much memory 10^6 revocations are to take, in bytes.
const revokedGoal = 80e6

// sizes returns numbers of sessions and revocations.
func (b *bench) sizes() []int {
	return slices.DeleteFunc([]int{1, 1000, 100_000, 1_000_000}, func(n int) bool { return n > b.many })
}

// growth measures how cost grows with the number of sessions and revocations.
func (b *bench) growth(ctx context.Context, out *document) error {
	if !b.wants(growthSection) {
		return nil
	}
	plain := scenario{name: plainName, title: "plain `reverse_proxy`"}
	plain.complete()
	list := []scenario{plain}
	for _, n := range b.sizes() {
		s := scenario{name: count(n), front: gated, revoked: n}
		s.complete()
		list = append(list, s)
	}
	var servers []outside
	all, err := b.measure(ctx, list, campaign{
		sets: 1, rounds: b.growthRounds, requests: b.growthRequests,
		finish: func(courses []*course) error {
			for _, c := range courses[1:] {
				server, err := b.look(ctx, c)
				if err != nil {
					return err
				}
				servers = append(servers, server)
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	verify := stat.NewTable("live sessions, and as many revocations", "verify, seen before µs", "verify, first seen µs",
		"request, seen before", "revocations on the heap MB")
	process := stat.NewTable("live sessions, and as many revocations", "database MB", "start to first answer ms", "RSS MB",
		"of it not of files", "more than with 1", "goal", "met", "peak MB", "live heap MB")
	for i, n := range b.sizes() {
		b.progress("growth: %s", count(n))
		inside, err := b.verifyWith(ctx, n)
		if err != nil {
			return err
		}
		verify.Add(count(n), stat.Micro(inside.hot), stat.Micro(inside.cold), all[1+i].cpuRatio.Text(stat.Ratio), stat.Megabytes(inside.heap))
		found := servers[i]
		more := found.memory.Anonymous - servers[0].memory.Anonymous
		limit, met := "", ""
		if n == 1_000_000 {
			limit, met = "≤ 80 MB", verdict(float64(more), revokedGoal)
		}
		process.Add(count(n), stat.Megabytes(found.file), stat.Whole(stat.Microseconds(found.startup)/1e3),
			stat.Megabytes(found.memory.RSS), stat.Megabytes(found.memory.Anonymous), stat.Megabytes(more), limit, met,
			stat.Megabytes(found.memory.Peak), stat.Megabytes(found.heap))
	}
	out.section("How cost grows")
	out.text("Verification is timed inside of this program; requests are compared with the plain proxy as above (processor time of the edge). " +
		"Pages of the database count as resident while the system has nothing better to do with them; they are left out where it says so.")
	out.table(verify)
	out.table(process)
	return nil
}

// inside is what a verifier costs.
type inside struct {
	hot, cold float64 // µs
	heap      int64   // bytes
}

// verifyWith times verification with a number of revocations.
func (b *bench) verifyWith(ctx context.Context, n int) (inside, error) {
	r, err := b.realm(ctx, realmKey{gate.EdDSA, n, true})
	if err != nil {
		return inside{}, err
	}
	revocations := gate.NewRevocations()
	before := heap()
	until := time.Now().Add(time.Hour)
	for i := range n {
		revocations.Apply(gate.Revocation{Kind: gate.RevokeToken, ID: r.RevokedID(i), Until: until})
	}
	found := inside{heap: heap() - before}
	for _, run := range []struct {
		cache int
		to    *float64
	}{{0, &found.hot}, {-1, &found.cold}} {
		verifier, err := r.Verifier(gate.VerifierConfig{CacheSize: run.cache, Revocations: revocations})
		if err != nil {
			return found, err
		}
		now := time.Now()
		result, err := b.benchmark(func(t *testing.B) {
			for t.Loop() {
				if _, err := verifier.Verify(r.hot, now); err != nil {
					t.Fatal(err)
				}
			}
		})
		if err != nil {
			return found, err
		}
		*run.to = float64(result.T.Nanoseconds()) / float64(result.N) / 1e3
	}
	runtime.KeepAlive(revocations)
	return found, nil
}

// heap returns the size of all live objects of this process.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what has a finalizer
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // not that much
}

// outside is what a server costs that starts with a large database.
type outside struct {
	file    int64
	startup time.Duration
	// memory is that at the first answer, heap the size of live objects after a
	// collection.
	memory edge.Memory
	heap   int64
}

// look asks a server that has been through its rounds.
func (b *bench) look(ctx context.Context, c *course) (outside, error) {
	found := outside{startup: c.edges[0].Startup, memory: c.ready}
	r, err := b.realmOf(ctx, c.scenario)
	if err != nil {
		return found, err
	}
	info, err := os.Stat(r.Path)
	if err != nil {
		return found, err
	}
	found.file = info.Size()
	if err := c.edges[0].Collect(ctx); err != nil {
		return found, err
	}
	live, err := c.edges[0].Heap(ctx)
	found.heap = int64(live.HeapAlloc) //nolint:gosec // not that much
	return found, err
}
