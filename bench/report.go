package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	_ "embed"

	"golang.org/x/sys/unix"

	"github.com/edgeauth/edgeauth/bench/internal/stat"
)

// remarks end the report: what bounds the figures.
//
//go:embed remarks.md
var remarks string

// document is the report. What is added to it is printed, too.
type document struct {
	strings.Builder
}

func (d *document) section(title string) { d.text("## " + title) }

func (d *document) table(t *stat.Table) { d.text(strings.TrimRight(t.String(), "\n")) }

func (d *document) text(text string) {
	fmt.Println(text + "\n")
	d.WriteString(text + "\n\n")
}

// count writes a whole number.
func count(n int) string { return stat.Whole(float64(n)) }

// wants reports whether a section was chosen.
func (b *bench) wants(section string) bool {
	return len(b.only) == 0 && len(b.profiles) == 0 || slices.Contains(b.only, section)
}

// report measures and writes.
func (b *bench) report(ctx context.Context, args []string) error {
	began := time.Now()
	out := &document{}
	if err := b.preface(ctx, out, args); err != nil {
		return err
	}
	for _, section := range []func(context.Context, *document) error{
		b.issuance, b.logins, b.price, b.memory, b.growth, b.edges,
	} {
		if err := section(ctx, out); err != nil {
			return err
		}
	}
	out.text(strings.TrimSpace(remarks))
	b.progress("took %s", time.Since(began).Round(time.Second))
	if b.write == "" {
		return nil
	}
	return os.WriteFile(b.write, []byte(strings.TrimSpace(out.String())+"\n"), 0o644) //nolint:gosec // documentation
}

// preface says what was measured where.
func (b *bench) preface(ctx context.Context, out *document, args []string) error {
	caddy, err := caddyVersion(ctx)
	if err != nil {
		return err
	}
	machine, err := machine()
	if err != nil {
		return err
	}
	out.text("# Performance")
	out.text("Measured, not promised: this page was written by `make bench` and states every figure as it came out. The yardstick is Caddy's " +
		"own `reverse_proxy` without any check, in the same run, with the same requests, tokens included; the upstream is a small Go program, " +
		fmt.Sprintf("the load comes by %d connections that stay open, and all of it runs on the loopback interface of one machine. ", connections) +
		"Ratios below 1 are cheaper than the plain proxy. How far apart its two rows are tells how far to trust the rest.")
	table := stat.NewTable("", "")
	table.Add("command", "`cd bench && go run . "+strings.Join(args, " ")+"`")
	table.Add("date", time.Now().UTC().Format("2006-01-02 15:04 MST"))
	table.Add("machine", machine)
	table.Add("versions", runtime.Version()+", Caddy "+caddy)
	out.table(table)
	return nil
}

// caddyVersion asks which Caddy the server is built with.
func caddyVersion(ctx context.Context) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2")
	list.Dir = ".."
	version, err := list.Output()
	return strings.TrimSpace(string(version)), err
}

// machine describes the processor and the system.
func machine() (string, error) {
	var system unix.Utsname
	if err := unix.Uname(&system); err != nil {
		return "", err
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	model := runtime.GOARCH
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	average, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("%s, %d processors, Linux %s, load average %s before the run",
		model, runtime.NumCPU(), unix.ByteSliceToString(system.Release[:]), average), nil
}
