package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/bench/internal/share"
	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// chosen returns the scenarios to measure: all, or those named by -only, and in
// any case the plain proxies that these are compared with.
func (b *bench) chosen() []scenario {
	list := b.scenarios()
	if b.wants(priceSection) {
		return list
	}
	named := func(s scenario) bool { return slices.Contains(b.only, s.name) || slices.Contains(b.profiles, s.name) }
	bare := slices.ContainsFunc(list, func(s scenario) bool { return s.bare && named(s) })
	return slices.DeleteFunc(list, func(s scenario) bool {
		return s.name != plainName && !named(s) && (s.name != bareName || !bare)
	})
}

// price measures what a request costs in each scenario.
func (b *bench) price(ctx context.Context, out *document) error {
	list := b.chosen()
	if len(list) == 1 && !slices.Contains(b.only, plainName) {
		return nil
	}
	var profiles []taken
	all, err := b.measure(ctx, list, campaign{
		sets: b.sets, rounds: b.rounds, requests: b.requests,
		spare: func(s scenario) int {
			if !b.isProfiled(s) {
				return 0
			}
			return b.profileSeconds * 40_000 // more than are sent while the profile is taken
		},
		finish: func(courses []*course) error {
			for _, c := range courses {
				if !b.isProfiled(c.scenario) {
					continue
				}
				p, err := b.profile(ctx, c)
				if err != nil {
					return err
				}
				profiles = append(profiles, p)
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	out.section("What the check costs")
	out.text(fmt.Sprintf("Medians of %d slices of %d requests each (least-greatest in parentheses), in %d sets of processes. "+
		"Each slice was sent by turns with one of the plain proxy, in pieces, and its ratio is taken against that one. Goals are held against the figures as printed.", b.sets*b.rounds, b.requests, b.sets))
	out.table(priceTable(all))
	out.table(throughputTable(all))
	out.table(resourceTable(all))
	out.section("Where the time goes")
	out.text(fmt.Sprintf("Shares of the processor time of the edge, from a profile of %d s for each scenario; the gate is split up.", b.profileSeconds))
	out.table(profileTable(profiles))
	return nil
}

// isProfiled reports whether a profile of the scenario is in the report, or was
// asked for.
func (b *bench) isProfiled(s scenario) bool {
	inReport := []string{plainName, hotName, rotateName, firstName, forgedName, noneName}
	return slices.Contains(inReport, s.name) || slices.Contains(b.profiles, s.name)
}

func priceTable(all []*series) *stat.Table {
	table := stat.NewTable("processor time of the edge", "µs per request", "ratio", "goal", "met")
	for _, s := range all {
		table.Add(s.title, s.cpu.Text(stat.Micro), s.cpuRatio.Text(stat.Ratio), goal(s.goal), verdict(s.cpuRatio.Median(), s.goal))
	}
	return table
}

func goal(limit float64) string {
	if limit == 0 {
		return ""
	}
	return "≤ " + stat.Ratio(limit)
}

// verdict compares a figure, as it is printed, with its goal.
func verdict(figure, limit float64) string {
	switch {
	case limit == 0:
		return ""
	case math.Round(figure*100) <= math.Round(limit*100):
		return "yes"
	}
	return "no"
}

func throughputTable(all []*series) *stat.Table {
	table := stat.NewTable("throughput and latency", "requests/s", "ratio", "p50 µs", "ratio", "p99 µs", "ratio")
	for _, s := range all {
		table.Add(
			s.title, stat.Whole(s.rate.Median()), stat.Ratio(s.rateRatio.Median()),
			stat.Whole(s.p50.Median()), stat.Ratio(s.p50Ratio.Median()),
			stat.Whole(s.p99.Median()), stat.Ratio(s.p99Ratio.Median()),
		)
	}
	return table
}

func resourceTable(all []*series) *stat.Table {
	table := stat.NewTable("allocations and memory", "allocations per request", "more than plain", "goal", "met", "RSS MB", "ratio")
	for _, s := range all {
		limit := ""
		if s.goalAllocs > 0 {
			limit = fmt.Sprintf("≤ %.0f more", s.goalAllocs)
		}
		table.Add(
			s.title, stat.Tenth(s.allocs.Median()), fmt.Sprintf("%+.1f", s.moreAllocs.Median()),
			limit, verdict(s.moreAllocs.Median(), s.goalAllocs),
			stat.Tenth(s.rss.Median()/1e6), stat.Ratio(s.rssRatio.Median()),
		)
	}
	return table
}

// taken is a profile of a scenario.
type taken struct {
	title  string
	shares share.Shares
}

// profile takes a profile under load.
func (b *bench) profile(ctx context.Context, c *course) (taken, error) {
	b.progress("profile %s", c.name)
	var text bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- c.edges[0].Profile(ctx, time.Duration(b.profileSeconds)*time.Second, &text)
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				return taken{}, err
			}
			if slices.Contains(b.profiles, c.name) {
				file := filepath.Join(os.TempDir(), "edgeauth-bench-"+c.name+".pprof")
				if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
					return taken{}, err
				}
				b.progress("the profile is in %s", file)
			}
			shares, err := share.Of(&text)
			return taken{c.title, shares}, err
		default:
		}
		if _, err := c.load(ctx, min(b.requests, 1000)); err != nil {
			return taken{}, errors.Join(err, <-done)
		}
	}
}

func profileTable(profiles []taken) *stat.Table {
	table := stat.NewTable(append([]string{"scenario"}, share.Names()...)...)
	for _, p := range profiles {
		cells := []string{p.title}
		for _, name := range share.Names() {
			cells = append(cells, fmt.Sprintf("%.1f %%", 100*p.shares[name]))
		}
		table.Add(cells...)
	}
	return table
}
