package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// series is what all slices of a scenario cost, by itself and against the plain
// proxy of the same round.
type series struct {
	scenario
	cpu, allocs, rate, p50, p99, rss stat.Samples

	cpuRatio, rateRatio, p50Ratio, p99Ratio, rssRatio, moreAllocs stat.Samples
}

func (s *series) add(own, plain slice) {
	s.cpu = append(s.cpu, own.cpu)
	s.allocs = append(s.allocs, own.allocs)
	s.rate = append(s.rate, own.rate)
	s.p50 = append(s.p50, own.p50)
	s.p99 = append(s.p99, own.p99)
	s.rss = append(s.rss, float64(own.rss))
	s.cpuRatio = append(s.cpuRatio, own.cpu/plain.cpu)
	s.rateRatio = append(s.rateRatio, own.rate/plain.rate)
	s.p50Ratio = append(s.p50Ratio, own.p50/plain.p50)
	s.p99Ratio = append(s.p99Ratio, own.p99/plain.p99)
	s.rssRatio = append(s.rssRatio, float64(own.rss)/float64(plain.rss))
	s.moreAllocs = append(s.moreAllocs, own.allocs-plain.allocs)
}

// campaign is how often and how long scenarios are measured.
type campaign struct {
	sets, rounds, requests int
	// spare, if set, is how many unused tokens finish needs of a scenario.
	spare func(scenario) int
	// finish, if set, may do more with the courses of the last set.
	finish func([]*course) error
}

// measure runs the scenarios, the first of which is the plain proxy.
func (b *bench) measure(ctx context.Context, list []scenario, m campaign) ([]*series, error) {
	all := make([]*series, len(list))
	for i := range list {
		all[i] = &series{scenario: list[i]}
	}
	for set := range m.sets {
		if err := b.set(ctx, all, m, set); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// set starts everything and measures some rounds.
func (b *bench) set(ctx context.Context, all []*series, m campaign, number int) (err error) {
	courses := make([]*course, len(all))
	defer func() {
		for _, c := range courses {
			if c != nil {
				err = errors.Join(err, c.stop())
			}
		}
	}()
	// The first processes are a little cheaper than the last for as long as they
	// live, so that each takes its turn.
	for _, i := range rand.Perm(len(all)) { //nolint:gosec // nobody gains from guessing it
		s := all[i]
		b.progress("set %d of %d: start %s", number+1, m.sets, s.name)
		fresh := m.rounds * m.requests
		if m.spare != nil {
			fresh += m.spare(s.scenario)
		}
		c, err := b.start(ctx, s.scenario, fresh)
		if err != nil {
			return err
		}
		courses[i] = c
	}
	for round := range m.rounds {
		b.progress("set %d of %d: round %d of %d", number+1, m.sets, round+1, m.rounds)
		// In another order each time: what a slice costs depends a little on
		// what ran before it.
		for _, i := range rand.Perm(len(courses)) { //nolint:gosec // nobody gains from guessing it
			own, plain, err := pair(ctx, courses[i], baseline(courses, courses[i]), m.requests)
			if err != nil {
				return err
			}
			all[i].add(own, plain)
		}
	}
	if m.finish != nil && number == m.sets-1 {
		return m.finish(courses)
	}
	return nil
}

// baseline returns the plain proxy that gets requests of the same kind.
func baseline(courses []*course, own *course) *course {
	return courses[slices.IndexFunc(courses, func(c *course) bool { return c.front == plainProxy && c.bare == own.bare })]
}

// pieces is into how many pieces a slice is cut.
const pieces = 8

// pair measures a slice of a scenario and one of the plain proxy, cut up and
// one after the other by turns: how fast the machine is changes from one second
// to the next, and so both meet the same.
func pair(ctx context.Context, own, plain *course, requests int) (o, p slice, err error) {
	var parts [2][]slice
	for i := range pieces {
		for turn := range 2 {
			which := (turn + i) % 2 // each goes first as often as the other
			c := own
			if which == 1 {
				c = plain
			}
			s, err := c.slice(ctx, max(1, requests/pieces))
			if err != nil {
				return slice{}, slice{}, err
			}
			parts[which] = append(parts[which], s)
		}
		if own == plain {
			parts[1] = parts[0]
		}
	}
	return mean(parts[0]), mean(parts[1]), nil
}

// mean puts the pieces of a slice together.
func mean(parts []slice) (m slice) {
	n := float64(len(parts))
	for _, s := range parts {
		m.cpu += s.cpu / n
		m.allocs += s.allocs / n
		m.rate += s.rate / n
		m.p50 += s.p50 / n
		m.p99 += s.p99 / n
		m.rss = max(m.rss, s.rss)
	}
	return m
}

// progress says what is being done.
func (*bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
