package main

import (
	"fmt"
	"slices"
)

// requestCosts measures the costs of a request in each row.
func (b *bench) requestCosts() {
	list := b.chosen()
	if len(list) == 0 {
		return
	}
	all := b.measure(list, b.sets, func(b *bench, subjects []*subject) {
		for _, s := range subjects {
			if slices.Contains(b.profiles, s.name) {
				b.profile(s)
			}
		}
	})
	b.heading("Costs of a request")
	b.paragraph("%d connections send requests without a pause. Each figure is the median of %d slices of %d requests in %d sets of processes. "+
		"The pieces of a slice take turns with pieces of a slice of the plain proxy, and the ratio of the slice is to that one. "+
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

// profile writes a CPU profile of the last server of a row under load. A server that
// waits takes no samples.
func (b *bench) profile(s *subject) {
	done := make(chan error)
	go func() {
		_, err := s.send(b.Context(), b.spare(s.row))
		done <- err
	}()
	b.output(".", "go", "tool", "pprof", "-proto", "-output", s.name+".pprof",
		fmt.Sprintf("http://%s/debug/pprof/profile?seconds=5", s.servers[len(s.servers)-1].admin))
	b.check(<-done)
}

// spare returns the number of requests that are sent for a profile of a row.
func (b *bench) spare(r row) int {
	if slices.Contains(b.profiles, r.name) {
		return 20 * b.requests
	}
	return 0
}
