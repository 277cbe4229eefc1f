package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	counts := flag.String("counts", "", "append the counts to this file")
	flag.Parse()
	sum, err := read(os.Stdin, os.Stdout)
	if err == nil && *counts != "" {
		err = sum.appendTo(*counts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(2)
	}
	if sum.failed > 0 {
		os.Exit(1)
	}
}

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
	// ImportPath names the package of build-output and build-fail.
	ImportPath string
}

// summary counts the tests of a run, including subtests.
type summary struct {
	passed, failed, skipped int
}

func (s summary) appendTo(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, s.passed, s.failed, s.skipped)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// reader keeps the output of tests until their result is known.
type reader struct {
	out io.Writer
	summary
	// The output of a test, or of a package under the empty name.
	printed map[[2]string][]string
	// Failures by package, so that a package that fails without a failing test is
	// counted: it did not build, timed out or panicked.
	failures map[string]int
}

func read(in io.Reader, out io.Writer) (summary, error) {
	r := reader{out: out, printed: map[[2]string][]string{}, failures: map[string]int{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			return r.summary, nil
		}
		if err != nil {
			return r.summary, err
		}
	}
}

func (r *reader) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(r.out, line)
		return
	}
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.printed[key] = append(r.printed[key], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnded(e)
		} else {
			r.testEnded(e)
		}
	}
}

func (r *reader) testEnded(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		fmt.Fprintf(r.out, "SKIP  %s %s%s\n", e.Package, e.Test, reason(r.printed[key]))
	case "fail":
		r.failed++
		r.failures[e.Package]++
		fmt.Fprintf(r.out, "FAIL  %s %s\n", e.Package, e.Test)
		r.print(key)
	}
	delete(r.printed, key)
}

// packageEnded reports a package. If it failed, the output of its unfinished tests
// is printed too: it contains the panic or the goroutines of a timeout.
func (r *reader) packageEnded(e event) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(r.out, "ok    %s (%.1fs)\n", e.Package, e.Elapsed)
	case "fail":
		fmt.Fprintf(r.out, "FAIL  %s (%.1fs)\n", e.Package, e.Elapsed)
		if r.failures[e.Package] == 0 {
			r.failed++
		}
		keys := make([][2]string, 0, len(r.printed))
		for key := range r.printed {
			if key[0] == e.Package {
				keys = append(keys, key)
			}
		}
		slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[1], b[1]) })
		for _, key := range keys {
			r.print(key)
		}
	}
	for key := range r.printed {
		if key[0] == e.Package {
			delete(r.printed, key)
		}
	}
}

func (r *reader) print(key [2]string) {
	for _, text := range r.printed[key] {
		fmt.Fprint(r.out, "      ", strings.TrimRight(text, "\n"), "\n")
	}
}

// reason finds the argument of t.Skip: the line before the verdict.
func reason(printed []string) string {
	for _, text := range slices.Backward(printed) {
		text = strings.TrimSpace(text)
		if text != "" && !strings.HasPrefix(text, "--- ") && !strings.HasPrefix(text, "=== ") {
			return ": " + text
		}
	}
	return ""
}
