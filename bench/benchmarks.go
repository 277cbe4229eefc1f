package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// goSection is a section with the table of a Go benchmark; see goBenchmarks.
func goSection(title, text, first, dir, name string, columns ...string) func(*bench) {
	return func(b *bench) {
		b.section(title, "%s Medians of `go test -bench`.", text)
		b.goBenchmarks(first, dir, name, columns...)
	}
}

// wasm measures the gate as a WebAssembly module in its hosts. The programs belong to
// the hosts.
func (b *bench) wasm() {
	b.section("WebAssembly", "The gate as a WebAssembly module. In the http-wasm host in Go, client, host and upstream are one process, "+
		"whose processor time is given. In the hosts in JavaScript it is that of the host alone. Medians.")
	b.goBenchmarks("http-wasm host in Go", "../wasm/e2e", "BenchmarkProxy", "requests/s", "requests/s", "cpu-µs/op", "CPU µs each", "÷cpu-µs/op", "ratio")
	b.omits("hosts in JavaScript", b.scope(func(b *bench) {
		node := servertest.Find(b, "node")
		b.print("\n%s\n", strings.TrimSpace(b.output("../wasm/js", "env", "BENCH_ROUNDS="+strconv.Itoa(b.hostRounds),
			"BENCH_REQUESTS="+strconv.Itoa(b.hostRequests), node, "bench/bench.mjs")))
	}))
}

// goBenchmarks runs a Go benchmark and adds a table of some of its figures, each given
// by its unit and the header of its column. A ÷ before the unit means the ratio to the
// first row.
func (b *bench) goBenchmarks(title, dir, name string, columns ...string) {
	b.Logf("%s of %s", name, dir)
	output := b.output(dir, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchmem",
		"-count", strconv.Itoa(b.hostRounds), "-benchtime", b.benchtime, ".")
	var names []string
	figures := map[string][]float64{} // by name and unit
	for _, line := range regexp.MustCompile(`(?m)^`+name+`/(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`).FindAllStringSubmatch(output, -1) {
		if !slices.Contains(names, line[1]) {
			names = append(names, line[1])
		}
		for fields := strings.Fields(line[2]); len(fields) > 1; fields = fields[2:] {
			number, err := strconv.ParseFloat(fields[0], 64)
			b.check(err)
			figures[line[1]+" "+fields[1]] = append(figures[line[1]+" "+fields[1]], number)
		}
	}
	if len(names) == 0 {
		b.Fatalf("%s printed no figures:\n%s", name, output)
	}
	headers := []string{title}
	for i := 1; i < len(columns); i += 2 {
		headers = append(headers, columns[i])
	}
	b.table(headers...)
	for _, name := range names {
		cells := []string{strings.NewReplacer("_", " ", "/", ", ").Replace(name)}
		for i := 0; i < len(columns); i += 2 {
			unit, isRatio := strings.CutPrefix(columns[i], "÷")
			value := median(figures[name+" "+unit])
			if isRatio {
				cells = append(cells, fmt.Sprintf("%.2f×", value/median(figures[names[0]+" "+unit])))
			} else {
				cells = append(cells, figure(value))
			}
		}
		b.row(cells...)
	}
}
