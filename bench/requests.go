package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/edgeauth/edgeauth/internal/process"
)

// requestCosts measures the costs of a request in each row.
func (b *bench) requestCosts() {
	list := b.chosen()
	if len(list) == 0 {
		return
	}
	all := b.measure(list, b.sets)
	b.section("Costs of a request", "%d connections send requests without a pause, unless a row says otherwise. Each figure is the median of %d slices of %d requests in %d sets of processes. "+
		"The pieces of a slice take turns with pieces of a slice of the plain proxy, or of the row to which the title says the ratio is, and the ratio of the slice is to that one. "+
		"In brackets: 95 %% interval of the median (percentile bootstrap over sets and slices). "+
		"The second plain process shows the error that remains. A ratio of processor time below 1 is less than that of the plain proxy.",
		connections, b.sets*b.rounds, b.requests, b.sets)
	b.table("processor time and throughput", "CPU µs per request", "ratio", "requests/s", "ratio")
	for _, s := range all {
		b.row(s.title, figure(s.own[cpu].median()), s.ratio[cpu].ratio(), figure(s.own[rate].median()), s.ratio[rate].ratio())
	}
	b.table("latency and memory", "p50 µs", "ratio", "p99 µs", "ratio", "RSS MB")
	for _, s := range all {
		b.row(s.title, figure(s.own[p50].median()), s.ratio[p50].ratio(), figure(s.own[p99].median()), s.ratio[p99].ratio(),
			megabytes(int64(s.own[rss].median())))
	}
}

// profile writes a CPU profile of the last server of a row. Idle time has no samples.
func (b *bench) profile(s *subject) {
	address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=5", s.servers[len(s.servers)-1].admin)
	p, err := process.Start(b.Context(), process.Options{
		Path: "go", Args: []string{"tool", "pprof", "-proto", "-output", s.name + ".pprof", address}, Output: os.Stderr,
	})
	b.check(err)
	b.send(s, profiled)
	b.check(p.Err())
}

// The quantities of a slice. Those of servers are sums of all servers of a row.
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
	// last is its first server in the last set.
	last *server
}

// measure measures rows in sets of processes.
func (b *bench) measure(list []row, sets int) []*series {
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
				n := warm + b.rounds*b.requests
				if slices.Contains(b.profiles, list[i].name) {
					n += profiled
				}
				subjects[i] = b.newSubject(list[i], n)
				b.send(subjects[i], warm)
			}
			for round := range b.rounds {
				b.Logf("set %d of %d: round %d of %d", set+1, sets, round+1, b.rounds)
				for _, i := range rand.Perm(len(list)) { //nolint:gosec // as above
					baseline := slices.IndexFunc(list, func(r row) bool { return r.name == cmp.Or(list[i].baseline, plain) })
					own, other := b.pair(subjects[i], subjects[baseline])
					for q := range quantities {
						all[i].own[q].add(set, own[q])
						all[i].ratio[q].add(set, own[q]/other[q])
					}
				}
			}
			for i, s := range subjects {
				all[i].last = s.servers[0]
				if set == sets-1 && slices.Contains(b.profiles, s.name) {
					b.profile(s)
				}
			}
		})
	}
	return all
}

// Numbers of pieces of a slice, and of requests during a CPU profile.
const pieces, profiled = 8, 50_000

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
	before := b.processorTime(s.servers)
	result := b.send(s, requests)
	m[cpu] = (b.processorTime(s.servers) - before) / float64(requests)
	m[rate], m[p50], m[p99] = result.Rate(), result.Quantile(0.5), result.Quantile(0.99)
	for _, server := range s.servers {
		m[rss] += float64(b.memoryOf(server).rss)
	}
	return m
}
