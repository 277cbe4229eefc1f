package main

import (
	"strings"
	"testing"
)

func TestGoEdges(t *testing.T) {
	table, err := goEdges(`goos: linux
BenchmarkProxy/no_gate-2         	   10000	    100000 ns/op	       200.0 cpu-µs/op	     10000 requests/s
BenchmarkProxy/guest_with_cache-2	   10000	    110000 ns/op	       250.0 cpu-µs/op	      9000 requests/s
BenchmarkProxy/no_gate-2         	   10000	    100000 ns/op	       200.0 cpu-µs/op	     10000 requests/s
PASS
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| no gate | 10,000 | 200 |", "| guest with cache | 9,000 | 250 | 50.0 | 1.25× |"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("there is no %q in\n%s", want, table)
		}
	}
	if _, err := goEdges("FAIL"); err == nil {
		t.Error("no figures are taken for some")
	}
}
