package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxCell limits the characters of a cell.
const maxCell = 60

// line prints a value as one line of JSON.
func (s server) line(value any) error { return json.NewEncoder(s.out).Encode(value) }

// table prints aligned columns. Cells may contain text of users.
type table struct{ w *tabwriter.Writer }

func (s server) table(titles ...string) table {
	t := table{tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)}
	if len(titles) > 0 {
		t.row(titles...)
	}
	return t
}

func (t table) row(cells ...string) {
	for i, text := range cells {
		cells[i] = cell(text)
	}
	_, _ = io.WriteString(t.w, strings.TrimRight(strings.Join(cells, "\t"), " ")+"\n") // Flush reports it
}

func (t table) flush() error { return t.w.Flush() }

// fields prints names and values, one per line.
func (s server) fields(pairs ...string) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(w, "%s\t%s\n", pairs[i], dash(printable(pairs[i+1])))
	}
	return w.Flush()
}

// cell returns text for a table: printable, not empty, and of limited length.
func cell(text string) string {
	text = dash(printable(text))
	if utf8.RuneCountInString(text) > maxCell {
		text = string([]rune(text)[:maxCell-1]) + "…"
	}
	return text
}

// printable replaces characters that a terminal could interpret, such as the escape
// sequences of a user agent.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// moment prints a time in the local zone of the operator.
func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04") //nolint:gosmopolitan // operators read local times
}

func momentOf(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return moment(*at)
}
