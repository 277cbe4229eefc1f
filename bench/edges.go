package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// The folders of the WebAssembly hosts.
const (
	goHost = "../wasm/e2e"
	jsHost = "../wasm/js"
)

// edges measures the gate as a WebAssembly module, beside what its hosts cost
// without it. The programs that do it belong to the hosts.
func (b *bench) edges(ctx context.Context, out *document) error {
	if !b.wants(edgesSection) {
		return nil
	}
	b.progress("edges: a host in Go")
	text, err := b.output(ctx, goHost, "go", "test", "-run", "^$", "-bench", "^BenchmarkProxy$", "-count", strconv.Itoa(b.edgeRounds), ".")
	if err != nil {
		return err
	}
	table, err := goEdges(string(text))
	if err != nil {
		return err
	}
	out.section("At other edges")
	out.text("The same gate as a WebAssembly module. In a host of http-wasm written in Go, client, host and upstream are one process, whose " +
		"processor time is the column; \"over the proxy\" is what is left of it without the plain proxy's. Medians.")
	out.table(table)
	text, err = b.output(ctx, jsHost, "node", "bench/bench.mjs")
	if errors.Is(err, exec.ErrNotFound) {
		out.text("The hosts in JavaScript were not measured: node is not installed.")
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (make edges installs what it needs)", err)
	}
	out.text("In hosts of JavaScript the processor time is that of the host alone.")
	out.text(strings.TrimSpace(string(text)))
	return nil
}

// output runs a program in a folder and returns what it prints.
func (b *bench) output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs of this repository
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Minute // a child that it left behind may hold them
	if err := cmd.Run(); err != nil {
		_, _ = os.Stderr.Write(append(stdout.Bytes(), stderr.Bytes()...))
		return nil, fmt.Errorf("%s: %s: %w", dir, cmd, err)
	}
	return stdout.Bytes(), nil
}

// benchmarkLine is a line of `go test -bench`: name, number of runs, figures.
var benchmarkLine = regexp.MustCompile(`(?m)^BenchmarkProxy/(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)

// goEdges turns what the benchmark prints into a table.
func goEdges(text string) (*stat.Table, error) {
	var names []string
	cpu, rate := map[string]stat.Samples{}, map[string]stat.Samples{}
	for _, line := range benchmarkLine.FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(line[1], "_", " ")
		if cpu[name] == nil {
			names = append(names, name)
		}
		fields := strings.Fields(line[2])
		for i := 0; i+1 < len(fields); i += 2 {
			figure, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("figure of %s: %w", name, err)
			}
			switch fields[i+1] {
			case "cpu-µs/op":
				cpu[name] = append(cpu[name], figure)
			case "requests/s":
				rate[name] = append(rate[name], figure)
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("the benchmark printed no figures")
	}
	plain := cpu[names[0]].Median()
	table := stat.NewTable("http-wasm host in Go", "requests/s", "processor µs each", "over the proxy", "to it")
	for _, name := range names {
		own := cpu[name].Median()
		table.Add(name, stat.Whole(rate[name].Median()), stat.Micro(own), stat.Micro(max(0, own-plain)), stat.Ratio(own/plain))
	}
	return table, nil
}
