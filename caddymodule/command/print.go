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

// columns describe a table of items. Cells may contain text of users.
type columns[T any] struct {
	titles []string
	cells  func(T) []string
}

// printAll prints items as a table with aligned columns, or as lines of JSON.
func printAll[T any](s server, columns columns[T], items []T) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if len(columns.titles) > 0 && !s.json {
		writeRow(w, columns.titles)
	}
	for _, item := range items {
		if !s.json {
			writeRow(w, columns.cells(item))
		} else if err := s.line(item); err != nil {
			return err
		}
	}
	return w.Flush()
}

func writeRow(w *tabwriter.Writer, cells []string) {
	shown := make([]string, len(cells))
	for i, text := range cells {
		shown[i] = cell(text)
	}
	_, _ = io.WriteString(w, strings.TrimRight(strings.Join(shown, "\t"), " ")+"\n") // Flush reports it
}

// printPages prints the pages that fetch returns for a cursor. Columns are aligned within
// a page, so that memory does not grow with the number of items.
func printPages[T any](s server, columns columns[T], fetch func(cursor string) (page []T, next string, err error)) error {
	for cursor := ""; ; {
		page, next, err := fetch(cursor)
		if err != nil {
			return err
		}
		if err := printAll(s, columns, page); err != nil || next == "" {
			return err
		}
		columns.titles, cursor = nil, next
	}
}

// printFound prints the results of a search: at most limit of them, and a hint if there
// are more, or all of them if limit is 0. Without results it prints no titles.
func printFound[T any](s server, what string, columns columns[T], limit int, fetch func(cursor string, rows int) (page []T, next string, err error)) error {
	printed := 0
	for cursor := ""; ; {
		rows := pageRows
		if limit > 0 {
			rows = min(pageRows, limit-printed)
		}
		page, next, err := fetch(cursor, rows)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			if err := printAll(s, columns, page); err != nil {
				return err
			}
			columns.titles = nil
		}
		printed += len(page)
		if next == "" {
			return nil
		}
		if limit > 0 && printed >= limit {
			_, err := fmt.Fprintf(s.hints, "More %s match; use --limit or --all to see them.\n", what)
			return err
		}
		cursor = next
	}
}

// fields prints one value: names and texts, one pair per line, or the value as JSON.
func (s server) fields(value any, pairs ...string) error {
	if s.json {
		return s.line(value)
	}
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
