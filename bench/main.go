package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/edgeauth/edgeauth/bench/internal/load"
)

// upstreamCommand is the argument by which the program becomes the upstream.
const upstreamCommand = "upstream"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == upstreamCommand {
		err = upstream(ctx)
	} else {
		err = run(ctx, os.Args[1:])
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// options are what the command line says.
type options struct {
	quick    bool
	only     []string
	profiles []string
	write    string
	binary   string
	scale
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.quick, "quick", false, "measure less, in about two minutes")
	only := flags.String("only", "", "comma-separated sections or scenarios: "+strings.Join(names(), " "))
	profiles := flags.String("cpuprofile", "", "comma-separated scenarios whose CPU profile is kept, in the folder for temporary files")
	flags.StringVar(&o.write, "write", "", "the file to write the report to")
	flags.StringVar(&o.binary, "binary", "", "the server; by default it is built")
	sets := flags.Int("sets", 0, "how often all processes are started anew")
	rounds := flags.Int("rounds", 0, "how many rounds a set has")
	requests := flags.Int("requests", 0, "how many requests a slice has")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.only, o.profiles = split(*only), split(*profiles)
	for _, name := range slices.Concat(o.only, o.profiles) {
		if !slices.Contains(names(), name) {
			return o, fmt.Errorf("%q is not one of %s", name, strings.Join(names(), ", "))
		}
	}
	o.scale = fullScale()
	if o.quick {
		o.scale = quickScale()
	}
	for _, set := range []struct{ from, to *int }{{sets, &o.sets}, {rounds, &o.rounds}, {requests, &o.requests}} {
		if *set.from > 0 {
			*set.to = *set.from
		}
	}
	return o, nil
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	testing.Init()
	dir, err := os.MkdirTemp("", "edgeauth-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.binary == "" {
		o.binary = filepath.Join(dir, "edgeauth")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.binary, "./cmd/edgeauth") //nolint:gosec // a path of our own
		build.Dir, build.Stdout, build.Stderr = "..", os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the server: %w", err)
		}
	}
	address, end, err := startUpstream(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	b := &bench{options: o, dir: dir, upstream: address, realms: map[realmKey]*realmOf{}}
	return b.report(ctx, args)
}

// upstream tells its address and serves.
func upstream(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return load.ServeUpstream(ctx, listener)
}

// startUpstream starts this program as the upstream, in a process of its own.
func startUpstream(ctx context.Context) (address string, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, upstreamCommand) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		_ = cmd.Wait() // ended by the signal
		return nil
	}
	if _, err := fmt.Fscanln(output, &address); err != nil {
		return "", nil, errors.Join(fmt.Errorf("the upstream did not start: %w", err), end())
	}
	return address, end, nil
}
