package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/internal/process"
)

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	// All files are below one directory, which the user of PostgreSQL can enter.
	dir, dirErr := os.MkdirTemp("", "edgeauth-bench-")
	if err := errors.Join(err, dirErr, os.Chmod(dir, 0o755), os.Setenv("TMPDIR", dir)); err != nil { //nolint:gosec // as said
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	interrupted, done, succeeded := make(chan os.Signal, 1), make(chan bool, 1), false
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	testing.Init()
	go func() { done <- run(o) }()
	select {
	case succeeded = <-done:
	case <-interrupted:
		fmt.Fprintln(os.Stderr, "bench: interrupted")
	}
	if err := os.RemoveAll(dir); err != nil || !succeeded {
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	arguments, only, profiles []string
	write, binary             string
	scale
}

func parse(arguments []string) (options, error) {
	o := options{arguments: arguments, scale: fullScale()}
	list := func(to *[]string) func(string) error {
		return func(text string) error { *to = strings.Split(text, ","); return nil }
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "measure less, in a few minutes")
	flags.Func("only", "comma-separated `sections` or rows: "+strings.Join(names(), " "), list(&o.only))
	flags.Func("cpuprofile", "comma-separated `rows` whose CPU profiles are written to the working directory", list(&o.profiles))
	flags.StringVar(&o.write, "write", "", "`file` for the report")
	sets := flags.Int("sets", 0, "`number` of times that all processes are started anew")
	rounds := flags.Int("rounds", 0, "`number` of rounds in a set")
	requests := flags.Int("requests", 0, "`number` of requests in a slice")
	err := flags.Parse(arguments)
	if *quick {
		o.scale = quickScale()
	}
	o.sets, o.rounds, o.requests = cmp.Or(*sets, o.sets), cmp.Or(*rounds, o.rounds), cmp.Or(*requests, o.requests)
	for _, name := range slices.Concat(o.only, o.profiles) {
		if !slices.Contains(names(), name) {
			return o, fmt.Errorf("%q is not valid; use one of %s", name, strings.Join(names(), ", "))
		}
	}
	return o, err
}

// names lists the sections and rows.
func names() (list []string) {
	for _, s := range sections() {
		list = append(list, s.name)
	}
	for _, r := range fullScale().rows() {
		list = append(list, r.name)
	}
	return list
}

// section is one part of the report.
type section struct {
	name string
	run  func(*bench)
}

func sections() []section {
	return []section{
		{"requests", (*bench).requestCosts},
		{"memory", (*bench).memory},
		{"login", (*bench).logins},
		{"pages", goSection("Login page", "Pages for a browser in German, rendered one after the other on one core, with a store in memory.",
			"page", "../pages", "BenchmarkPages", "pages/s", "pages/s", "ns/op", "ns", "allocs/op", "allocations")},
		{"feed", goSection("Revocation feed", "A document is made once for all clients that ask for it within a second.",
			"document", ".", "BenchmarkFeed", "ns/op", "ns", "bytes", "bytes")},
		{"issuance", goSection("Issuance", "A login and a refresh sign one token.",
			"a token is signed", ".", "BenchmarkSign", "ns/op", "ns", "allocs/op", "allocations")},
		{"growth", (*bench).growth},
		{"wasm", (*bench).wasm},
	}
}

// bench is one run of the program. It is a testing.TB for the helpers that run servers,
// and fails by Fatal.
type bench struct {
	*testing.B
	options
	// dir holds what all sections share; upstream is the address of the upstream.
	dir, upstream string
	realms        map[string]*realm
	report        *strings.Builder
	skipped       *string
	// environment is that of the row whose servers are started.
	environment []string
}

// run measures, as a benchmark of package testing, and reports its success.
func run(o options) (succeeded bool) {
	_ = flag.Set("test.benchtime", "1x") // the flag exists
	testing.Benchmark(func(tb *testing.B) {
		b := &bench{B: tb, options: o, realms: map[string]*realm{}, report: &strings.Builder{}}
		b.dir = b.TempDir()
		b.binary = cmp.Or(b.binary, filepath.Join(b.dir, "edgeauth"))
		b.output("..", "go", "build", "-modfile=newest.mod", "-o", b.binary, "./cmd/edgeauth")
		listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
		b.check(err)
		b.Cleanup(func() { _ = listener.Close() })
		go load.ServeUpstream(listener) // ends with the listener
		b.upstream = listener.Addr().String()
		b.introduce()
		for _, s := range sections() {
			// The first section selects its rows itself.
			if s.name == "requests" || len(b.only) == 0 || slices.Contains(b.only, s.name) {
				b.scope(s.run)
			}
		}
		if b.write != "" {
			b.check(os.WriteFile(b.write, []byte(b.report.String()), 0o644)) //nolint:gosec // documentation
		}
		succeeded = true
	})
	return succeeded
}

// scope runs a part and then stops what it started. It returns the reason if the part
// was skipped because a program is missing.
func (b *bench) scope(part func(*bench)) (skipped string) {
	b.Run("part", func(tb *testing.B) {
		inner := *b
		inner.B, inner.skipped = tb, &skipped
		part(&inner)
	})
	if b.Failed() {
		b.FailNow()
	}
	return skipped
}

// Errorf and the methods below report what a testing.B discards.
func (b *bench) Errorf(format string, arguments ...any) {
	b.Logf(format, arguments...)
	b.Fail()
}

// Logf prints a message.
func (*bench) Logf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", arguments...)
}

// Fatalf ends the run.
func (b *bench) Fatalf(format string, arguments ...any) {
	b.Errorf(format, arguments...)
	b.FailNow()
}

// Fatal ends the run.
func (b *bench) Fatal(arguments ...any) { b.Fatalf("%s", fmt.Sprint(arguments...)) }

// Skipf ends the current scope.
func (b *bench) Skipf(format string, arguments ...any) {
	*b.skipped = fmt.Sprintf(format, arguments...)
	b.SkipNow()
}

// TempDir returns a new directory that the scope removes.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "")
	b.check(err)
	b.Cleanup(func() { b.check(os.RemoveAll(dir)) })
	return dir
}

func (b *bench) check(err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// output runs a program in a directory and returns its output.
func (b *bench) output(dir, name string, arguments ...string) string {
	var output bytes.Buffer
	p, err := process.Start(b.Context(), process.Options{Path: name, Args: arguments, Dir: dir, Output: &output})
	if err == nil {
		err = p.Err()
	}
	if err != nil {
		b.Fatalf("%s in %s: %v\n%s", name, dir, err, &output)
	}
	return output.String()
}
