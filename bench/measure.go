package main

import (
	"math/rand/v2"
	"slices"
)

// The quantities of a slice. Processor time and memory are sums of all servers of a
// row.
const (
	cpu  = iota // microseconds of processor time for each request
	rate        // requests per second
	p50         // latency in microseconds
	p99         // latency in microseconds
	rss         // resident memory in bytes
	quantities
)

// slice holds the quantities of some consecutive requests to a row.
type slice [quantities]float64

// series holds the slices of a row: their own quantities, and the ratios to those of
// the plain proxy whose requests took turns with those of the slice.
type series struct {
	row
	own, ratio [quantities]samples
}

// measure measures rows in sets of processes. Finish receives the running rows of the
// last set.
func (b *bench) measure(list []row, sets int, finish func(*bench, []*subject)) []*series {
	all := make([]*series, len(list))
	for i := range list {
		all[i] = &series{row: list[i]}
	}
	warm := max(b.requests, b.rotating)
	for set := range sets {
		b.scope(func(b *bench) {
			subjects := make([]*subject, len(list))
			for _, i := range rand.Perm(len(list)) { //nolint:gosec // the order need not be secret
				b.Logf("set %d of %d: start %s", set+1, sets, list[i].name)
				subjects[i] = b.newSubject(list[i], warm+b.rounds*b.requests+b.spare(list[i]))
				b.send(subjects[i], warm)
			}
			for round := range b.rounds {
				b.Logf("set %d of %d: round %d of %d", set+1, sets, round+1, b.rounds)
				for _, i := range rand.Perm(len(list)) { //nolint:gosec // as above
					plain := slices.IndexFunc(list, func(r row) bool { return r.name == list[i].baseline() })
					own, other := b.pair(subjects[i], subjects[plain])
					for q := range quantities {
						all[i].own[q].add(set, own[q])
						all[i].ratio[q].add(set, own[q]/other[q])
					}
				}
			}
			if set == sets-1 {
				finish(b, subjects)
			}
		})
	}
	return all
}

// pieces is the number of pieces of a slice.
const pieces = 8

// pair measures a slice of a row and one of the plain proxy. Their pieces take turns,
// because the speed of a machine changes from one second to the next.
func (b *bench) pair(own, plain *subject) (o, p slice) {
	for piece := range pieces {
		order := []*subject{own, plain}
		if piece%2 == 1 { // each is first as often as the other
			slices.Reverse(order)
		}
		for _, s := range slices.Compact(order) {
			m := b.piece(s)
			for q := range quantities {
				if s == own {
					o[q] += m[q] / pieces
				}
				if s == plain {
					p[q] += m[q] / pieces
				}
			}
		}
	}
	return o, p
}

// piece measures the next requests of a row.
func (b *bench) piece(s *subject) (m slice) {
	requests := b.requests / pieces
	used := func() (sum float64) {
		for _, server := range s.servers {
			sum += b.processorTime(server)
		}
		return sum
	}
	before := used()
	result := b.send(s, requests)
	m[cpu] = (used() - before) / float64(requests)
	m[rate], m[p50], m[p99] = result.Rate(), result.Quantile(0.5), result.Quantile(0.99)
	for _, server := range s.servers {
		m[rss] += float64(b.memoryOf(server).rss)
	}
	return m
}
