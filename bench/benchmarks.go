package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// issuance measures the signing of a token.
func (b *bench) issuance() {
	b.heading("Issuance")
	b.goBenchmarks("a token is signed", ".", "BenchmarkSign", "µs/op", "µs", "allocs/op", "allocations")
}

// feed measures the revocation feed at the issuer and at a verifier.
func (b *bench) feed() {
	b.heading("Revocation feed")
	b.goBenchmarks("document", ".", "BenchmarkFeed", "µs/op", "µs", "bytes", "bytes")
}

// wasm measures the gate as a WebAssembly module in its hosts. The programs belong to
// the hosts.
func (b *bench) wasm() {
	b.heading("WebAssembly")
	b.paragraph("The gate as a WebAssembly module. In the http-wasm host in Go, client, host and upstream are one process, " +
		"whose processor time is given. In the hosts in JavaScript it is that of the host alone. Medians.")
	b.goBenchmarks("http-wasm host in Go", "../wasm/e2e", "BenchmarkProxy", "requests/s", "requests/s", "cpu-µs/op", "CPU µs each")
	if _, err := exec.LookPath("node"); err != nil {
		b.omit("hosts in JavaScript", err.Error())
		return
	}
	b.Logf("hosts in JavaScript")
	b.check(os.Setenv("BENCH_ROUNDS", strconv.Itoa(b.hostRounds)))
	b.check(os.Setenv("BENCH_REQUESTS", strconv.Itoa(b.hostRequests)))
	b.paragraph("%s", strings.TrimSpace(b.output("../wasm/js", "node", "bench/bench.mjs")))
}

// goBenchmarks runs a Go benchmark and adds a table of some of its figures, each given
// by its unit and the header of its column. The last column is the ratio of the last
// figure to that of the first row.
func (b *bench) goBenchmarks(title, dir, name string, columns ...string) {
	b.Logf("%s of %s", name, dir)
	output := b.output(dir, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchmem",
		"-count", strconv.Itoa(b.hostRounds), "-benchtime", b.benchtime, ".")
	var names []string
	figures := map[string][]float64{} // by name and unit
	for _, line := range regexp.MustCompile(`(?m)^`+name+`/(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`).FindAllStringSubmatch(output, -1) {
		fields := strings.Fields(line[2])
		if figures[line[1]] == nil {
			names = append(names, line[1])
			figures[line[1]] = []float64{}
		}
		for i := 0; i+1 < len(fields); i += 2 {
			number, err := strconv.ParseFloat(fields[i], 64)
			b.check(err)
			key := line[1] + " " + fields[i+1]
			figures[key] = append(figures[key], number)
			if fields[i+1] == "ns/op" {
				key := line[1] + " µs/op"
				figures[key] = append(figures[key], number/1e3)
			}
		}
	}
	if len(names) == 0 {
		b.Fatalf("%s printed no figures:\n%s", name, output)
	}
	header := []string{title}
	for i := 1; i < len(columns); i += 2 {
		header = append(header, columns[i])
	}
	b.table(append(header, "ratio")...)
	for _, name := range names {
		cells := []string{strings.ReplaceAll(name, "_", " ")}
		for i := 0; i < len(columns); i += 2 {
			cells = append(cells, figure(median(figures[name+" "+columns[i]])))
		}
		last := " " + columns[len(columns)-2]
		b.row(append(cells, fmt.Sprintf("%.2f×", median(figures[name+last])/median(figures[names[0]+last])))...)
	}
}
