package main

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/bench/internal/realm"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// issuance measures what signing a token costs.
func (b *bench) issuance(ctx context.Context, out *document) error {
	if !b.wants(issuanceSection) {
		return nil
	}
	table := stat.NewTable("a token is signed", "µs", "allocations", "per second on one processor")
	for _, algorithm := range authcore.Algorithms() {
		b.progress("issuance: %s", algorithm)
		result, err := b.sign(ctx, algorithm)
		if err != nil {
			return err
		}
		us := float64(result.NsPerOp()) / 1e3
		table.Add(algorithm, stat.Micro(us), fmt.Sprint(result.AllocsPerOp()), stat.Whole(1e6/us))
	}
	out.section("Issuance")
	out.table(table)
	return nil
}

// sign signs statements for an upstream, which is done as for a login token.
func (b *bench) sign(ctx context.Context, algorithm string) (testing.BenchmarkResult, error) {
	service, err := realm.NewService(ctx, algorithm, memory.New())
	if err != nil {
		return testing.BenchmarkResult{}, err
	}
	now := time.Now()
	claims := gate.Claims{
		Subject: "3f2b8c9e-4d1a-4f6b-9a7c-0e5d8b2a1c4f",
		ID:      "5d0c1b2a-9e8f-4a7b-8c6d-1e2f3a4b5c6d", Session: "9c8b7a69-5847-4635-a241-f0e1d2c3b4a5",
		IssuedAt: now.Unix(), ExpiresAt: now.Add(time.Hour).Unix(), AuthTime: now.Unix(),
		Client: realm.ClientName, Method: authcore.MethodLink,
		Email: "ann@example.com", EmailVerified: true, Name: "Ann Example",
	}
	return b.benchmark(func(t *testing.B) {
		for t.Loop() {
			if _, err := service.Assert(&claims, "upstream", time.Hour); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// benchmark runs a Go benchmark.
func (b *bench) benchmark(run func(*testing.B)) (testing.BenchmarkResult, error) {
	if err := flag.Set("test.benchtime", b.benchtime); err != nil {
		return testing.BenchmarkResult{}, err
	}
	result := testing.Benchmark(func(t *testing.B) {
		t.ReportAllocs()
		run(t)
	})
	if result.N == 0 {
		return result, fmt.Errorf("a benchmark failed")
	}
	return result, nil
}
