package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// everywhere lists the platforms of a release.
const everywhere = "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64"

func main() {
	var r release
	out := flag.String("out", "dist/release", "the `directory` for the files; it is replaced")
	platforms := flag.String("platforms", everywhere, "the `platforms` of the server, separated by spaces")
	flag.StringVar(&r.version, "version", "", "the SemVer `version` (default: from the tags of git)")
	flag.BoolVar(&r.noNPM, "without-npm", false, "leave out the npm packages")
	flag.BoolVar(&r.noWASM, "without-wasm", false, "leave out the WebAssembly module")
	check := flag.Bool("check", false, "build twice, compare and verify")
	show := flag.Bool("print-version", false, "print the version and build nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, &r, options{*out, *platforms, *check, *show})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release describes the files of one version.
type release struct {
	// root is the directory of the project, out that of the files; both absolute.
	root, out string
	// version is SemVer with a leading v.
	version string
	// time is that of the commit; all files have it.
	time      time.Time
	platforms []platform
	noNPM     bool
	noWASM    bool
}

// platform is a system and an architecture of Go.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// options of a call.
type options struct {
	out, platforms string
	check, show    bool
}

func run(ctx context.Context, r *release, o options) error {
	var err error
	if r.root, err = os.Getwd(); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(o.out); err != nil {
		return err
	}
	if r.platforms, err = parsePlatforms(o.platforms); err != nil {
		return err
	}
	if err := r.describe(ctx); err != nil {
		return err
	}
	if o.show {
		report("%s", r.version)
		return nil
	}
	if err := r.produce(ctx); err != nil {
		return err
	}
	if !o.check {
		return nil
	}
	return r.check(ctx)
}

// parsePlatforms reads system/architecture pairs.
func parsePlatforms(list string) ([]platform, error) {
	var platforms []platform
	for field := range strings.FieldsSeq(list) {
		system, arch, ok := strings.Cut(field, "/")
		if !ok || system == "" || arch == "" {
			return nil, fmt.Errorf("-platforms: %q is not system/architecture; write for example linux/amd64", field)
		}
		platforms = append(platforms, platform{system, arch})
	}
	if len(platforms) == 0 {
		return nil, fmt.Errorf("-platforms: is empty; write for example linux/amd64")
	}
	return platforms, nil
}

// produce writes all files.
func (r *release) produce(ctx context.Context) error {
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	notes, err := r.notes()
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.notesFile(), []byte(notes), 0o644); err != nil {
		return err
	}
	for _, p := range r.platforms {
		if err := r.server(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	if !r.noWASM {
		if err := r.wasm(ctx); err != nil {
			return fmt.Errorf("WebAssembly: %w", err)
		}
	}
	if !r.noNPM {
		for _, p := range npmPackages {
			if err := r.npm(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.folder, err)
			}
		}
	}
	return writeSums(r.out)
}

func (r *release) notesFile() string { return filepath.Join(filepath.Dir(r.out), "release-notes.md") }

// report prints the progress.
func report(format string, args ...any) { fmt.Printf(format+"\n", args...) }
