package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// samples are measurements of one quantity, by set of processes.
type samples [][]float64

// add adds a measurement of a set.
func (s *samples) add(set int, value float64) {
	for len(*s) <= set {
		*s = append(*s, nil)
	}
	(*s)[set] = append((*s)[set], value)
}

func (s samples) median() float64 { return median(slices.Concat(s...)) }

// median returns the median, or NaN if there are no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// interval returns the 95 % interval of the median by a percentile bootstrap. It draws
// whole sets and then slices of each, because the slices of one process are alike.
func (s samples) interval() (low, high float64) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same figures give the same interval
	medians := make([]float64, 2000)
	for i := range medians {
		var drawn []float64
		for range s {
			set := s[random.IntN(len(s))]
			for range set {
				drawn = append(drawn, set[random.IntN(len(set))])
			}
		}
		medians[i] = median(drawn)
	}
	slices.Sort(medians)
	return medians[len(medians)*25/1000], medians[len(medians)*975/1000]
}

// ratio formats the median of ratios with its interval.
func (s samples) ratio() string {
	low, high := s.interval()
	return fmt.Sprintf("%.3f× [%.3f–%.3f]", s.median(), low, high)
}

// figure formats a number with separators, and three digits unless it is whole.
func figure(n float64) string {
	digits := max(0, 2-int(math.Floor(math.Log10(max(1, math.Abs(n))))))
	if n == math.Trunc(n) {
		digits = 0
	}
	text := strconv.FormatFloat(n, 'f', digits, 64)
	for i := len(text) - 3; digits == 0 && i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func count(n int) string { return figure(float64(n)) }

// megabytes formats a number of bytes in units of 10^6.
func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
