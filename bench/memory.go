package main

import "fmt"

// Sizes of the cache, in tokens.
const (
	largeCache = 131_072
	smallCache = 4096
)

// memory measures the memory of cached tokens, and under a flood of tokens.
func (b *bench) memory() {
	b.heading("Memory")
	b.paragraph("Each token is valid and sent once. `cache_size` bounds the cache.")
	b.table("resident memory", "requests", "RSS MB", "more than plain MB", "peak MB")
	large, small := fmt.Sprintf("cache_size %d", largeCache), fmt.Sprintf("cache_size %d", smallCache)
	plain := map[int]int64{}
	for _, r := range []struct {
		title string
		start starter
		after []int
	}{
		{"plain `reverse_proxy`", proxy(""), []int{b.cached, b.flood / 4, b.flood / 2, b.flood}},
		{"all tokens in the cache, `" + large + "`", gated(large, ""), []int{b.cached}},
		{"flood of tokens, `" + small + "`", gated(small, ""), []int{b.flood / 4, b.flood / 2, b.flood}},
	} {
		for _, n := range r.after {
			b.Logf("memory after %d requests, %s", n, r.title)
			b.scope(func(b *bench) {
				s := b.newSubject(row{start: r.start, tokens: fresh, once: true}, n)
				b.send(s, n)
				m := b.memoryOf(s.servers[0])
				if plain[n] == 0 {
					plain[n] = m.rss
				}
				b.row(r.title, count(n), megabytes(m.rss), megabytes(m.rss-plain[n]), megabytes(m.peak))
			})
		}
	}
}
