// Package stat sums samples up and writes numbers and tables in Markdown.
package stat

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Samples are measurements of one thing.
type Samples []float64

// Median returns the middle of the samples, or NaN when there are none.
func (s Samples) Median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// Text returns the median with the least and the greatest sample in parentheses.
func (s Samples) Text(format func(float64) string) string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s-%s)", format(s.Median()), format(slices.Min(s)), format(slices.Max(s)))
}

// Ratio writes a ratio.
func Ratio(r float64) string { return fmt.Sprintf("%.2f×", r) }

// Micro writes a number of microseconds.
func Micro(us float64) string {
	switch {
	case us < 10:
		return fmt.Sprintf("%.2f", us)
	case us < 100:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.0f", us)
}

// Whole writes a number with its thousands set apart.
func Whole(n float64) string {
	text := fmt.Sprintf("%.0f", math.Abs(n))
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if n <= -0.5 {
		text = "-" + text
	}
	return text
}

// Tenth writes a number with one digit after the point.
func Tenth(n float64) string { return fmt.Sprintf("%.1f", n) }

// Megabytes writes a number of bytes in units of 10^6.
func Megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }

// Microseconds returns a duration as a number of microseconds.
func Microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// Table is a table in Markdown.
type Table struct {
	rows [][]string
}

// NewTable makes a table. Columns after the first are flush right.
func NewTable(header ...string) *Table {
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---:"
	}
	rule[0] = "---"
	return &Table{rows: [][]string{header, rule}}
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// String returns the table.
func (t *Table) String() string {
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}
