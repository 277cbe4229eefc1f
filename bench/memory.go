package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeauth/edgeauth/bench/internal/edge"
	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// The sizes of the cache in this section, in tokens.
const (
	largeCache = 131_072
	smallCache = 4096
)

// cachedGoal is how much more memory than the plain proxy a gate is to have with
// 100,000 tokens in its cache, in bytes.
const cachedGoal = 100e6

// memory measures what tokens in the cache take, and that a flood of tokens
// takes no more.
func (b *bench) memory(ctx context.Context, out *document) error {
	if !b.wants(memorySection) {
		return nil
	}
	b.progress("memory: %d tokens", b.flood)
	plain := scenario{name: plainName, title: "plain `reverse_proxy`"}
	plain.complete()
	fresh := scenario{name: firstName, front: gated, tokens: freshTokens}
	fresh.complete()
	table := stat.NewTable("resident memory after as many requests", "requests", "RSS MB", "more than plain", "goal", "met", "peak MB")
	before, err := b.memoryOf(ctx, plain, "", []int{b.cached, b.flood})
	if err != nil {
		return err
	}
	large, err := b.memoryOf(ctx, fresh, fmt.Sprintf("cache_size %d", largeCache), []int{b.cached})
	if err != nil {
		return err
	}
	small, err := b.memoryOf(ctx, fresh, fmt.Sprintf("cache_size %d", smallCache), []int{b.flood / 4, b.flood / 2, b.flood})
	if err != nil {
		return err
	}
	table.Add("plain `reverse_proxy`", count(b.cached), stat.Megabytes(before[0].RSS), "", "", "", stat.Megabytes(before[0].Peak))
	more := float64(large[0].RSS - before[0].RSS)
	table.Add(count(b.cached)+" distinct tokens, all in the cache (`cache_size "+fmt.Sprint(largeCache)+"`)", count(b.cached),
		stat.Megabytes(large[0].RSS), fmt.Sprintf("%+.1f MB", more/1e6), "≤ +100 MB", verdict(more, cachedGoal), stat.Megabytes(large[0].Peak))
	for i, n := range []int{b.flood / 4, b.flood / 2, b.flood} {
		more := float64(small[i].RSS - before[1].RSS)
		table.Add("flood of distinct tokens, `cache_size "+fmt.Sprint(smallCache)+"`", count(n),
			stat.Megabytes(small[i].RSS), fmt.Sprintf("%+.1f MB", more/1e6), "", "", stat.Megabytes(small[i].Peak))
	}
	out.section("Memory")
	out.text("Every token is good and comes once. The bound on the cache is a setting; a flood must not grow memory past it.")
	out.table(table)
	return nil
}

// memoryOf sends requests to a new server and returns its memory after each of
// some numbers of them.
func (b *bench) memoryOf(ctx context.Context, s scenario, realmOptions string, after []int) (found []edge.Memory, err error) {
	c := &course{scenario: s}
	defer func() { err = errors.Join(err, c.stop()) }()
	r, err := b.realmOf(ctx, s)
	if err != nil {
		return nil, err
	}
	started, err := b.startPlainOrGate(ctx, s.front, r, realmOptions)
	if err != nil {
		return nil, err
	}
	c.edges = []*edge.Edge{started}
	if c.tokens, err = r.stream(ctx, s.tokens, after[len(after)-1]); err != nil {
		return nil, err
	}
	c.frame()
	if c.clients, err = load.Dial(ctx, started.Address, connections); err != nil {
		return nil, err
	}
	for _, n := range after {
		if _, err := c.load(ctx, n-c.sent); err != nil {
			return nil, err
		}
		memory, err := started.Memory()
		if err != nil {
			return nil, err
		}
		found = append(found, memory)
	}
	return found, nil
}

func (b *bench) startPlainOrGate(ctx context.Context, f front, r *realmOf, realmOptions string) (*edge.Edge, error) {
	if f == plainProxy {
		return b.startPlain(ctx)
	}
	return b.startGate(ctx, r, realmOptions, "")
}
