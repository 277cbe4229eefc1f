package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

func main() {
	minimum := flag.Float64("min", 85, "the least `percentage` of statements")
	module := flag.String("module", "github.com/edgeauth/edgeauth", "the `path` of the module")
	of := flag.String("of", "", "comma-separated `folders` that have to reach it")
	without := flag.String("without", "", "comma-separated `folders` that need not")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	profile, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(2)
	}
	packages, err := parse(bytes.NewReader(profile))
	if err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(2)
	}
	demand := demand{*module, strings.Split(*of, ","), strings.Split(*without, ","), *minimum}
	if !demand.check(packages, os.Stdout) {
		os.Exit(1)
	}
}

// coverage of one package, in statements.
type coverage struct {
	covered, total int
}

func (c coverage) percent() float64 {
	if c.total == 0 {
		return 100
	}
	return 100 * float64(c.covered) / float64(c.total)
}

// parse adds up a profile by package. A block that several test binaries report
// is covered if one of them ran it.
func parse(profile io.Reader) (map[string]coverage, error) {
	type block struct {
		statements int
		covered    bool
	}
	blocks := map[string]block{}
	lines := bufio.NewScanner(profile)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "mode:") {
			continue
		}
		// <import path>/<file>.go:<from>,<to> <statements> <count>
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("not a line of a profile: %q", line)
		}
		statements, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("not a line of a profile: %q", line)
		}
		blocks[fields[0]] = block{statements, blocks[fields[0]].covered || fields[2] != "0"}
	}
	packages := map[string]coverage{}
	for position, b := range blocks {
		file, _, _ := strings.Cut(position, ":")
		c := packages[path.Dir(file)]
		c.total += b.statements
		if b.covered {
			c.covered += b.statements
		}
		packages[path.Dir(file)] = c
	}
	return packages, lines.Err()
}

// demand selects packages and the percentage that they must reach.
type demand struct {
	module      string
	of, without []string
	minimum     float64
}

// check prints every package and reports whether the demand is met. A folder that is
// not in the profile does not meet it: its tests did not run.
func (d demand) check(packages map[string]coverage, out io.Writer) bool {
	met := true
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		folder := strings.TrimPrefix(strings.TrimPrefix(name, d.module), "/")
		root := under(folder, d.of)
		seen[root] = true
		percent, verdict := packages[name].percent(), ""
		if root != "" && under(folder, d.without) == "" && percent < d.minimum {
			met, verdict = false, fmt.Sprintf("  less than %g %%", d.minimum)
		}
		fmt.Fprintf(out, "%6.1f %%  %s%s\n", percent, name, verdict)
	}
	for _, root := range d.of {
		if root != "" && !seen[root] {
			met = false
			fmt.Fprintf(out, "     ?    %s is not in the profile\n", root)
		}
	}
	return met
}

// under returns the root that contains folder, or "".
func under(folder string, roots []string) string {
	for _, root := range roots {
		if root != "" && (folder == root || strings.HasPrefix(folder, root+"/")) {
			return root
		}
	}
	return ""
}
