package main

import (
	"os"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// memory measures the memory of cached tokens, and under a flood of tokens.
func (b *bench) memory() {
	b.section("Memory", "Each token is valid and sent once. `cache_size` bounds the cache.")
	b.table("resident memory", "requests", "RSS MB", "more than plain MB", "peak MB")
	const large, small = "cache_size 131072", "cache_size 4096"
	without := map[int]int64{}
	for _, r := range []struct {
		title string
		start starter
		after []int
	}{
		{"plain `reverse_proxy`", proxy("", ""), []int{b.flood / 4, b.flood / 2, b.flood}},
		{"all tokens in the cache, `" + large + "`", gated(large, ""), []int{b.flood / 2}},
		{"flood of tokens, `" + small + "`", gated(small, ""), []int{b.flood / 4, b.flood / 2, b.flood}},
	} {
		for _, n := range r.after {
			b.scope(func(b *bench) {
				s := b.newSubject(row{start: r.start, tokens: fresh, once: true}, n)
				b.send(s, n)
				m := b.memoryOf(s.servers[0])
				if without[n] == 0 {
					without[n] = m.rss
				}
				b.row(r.title, count(n), megabytes(m.rss), megabytes(m.rss-without[n]), megabytes(m.peak))
			})
		}
	}
}

// growth measures a server by the number of sessions and revocations.
func (b *bench) growth() {
	list := []row{{name: plain, start: proxy("", "")}}
	for _, n := range b.revocations {
		list = append(list, row{name: count(n), start: gated("", ""), revoked: n})
	}
	all := b.measure(list, min(b.sets, 3))
	b.section("Growth", "Live sessions, and as many revocations of ended ones. The cost of a request is processor time compared with the plain proxy, as above. "+
		"Memory is that at the first response; its anonymous part leaves out pages of the database, which the system can reclaim.")
	b.table("sessions and revocations", "one hot token", "database MB", "start ms", "RSS MB", "anonymous MB", "peak MB")
	for i, n := range b.revocations {
		info, err := os.Stat(b.prepare(gate.EdDSA, n, true).path)
		b.check(err)
		s := all[i+1].last
		b.row(count(n), all[i+1].ratio[cpu].ratio(), megabytes(info.Size()), figure(s.startup.Seconds()*1e3),
			megabytes(s.ready.rss), megabytes(s.ready.anonymous), megabytes(s.ready.peak))
	}
}
