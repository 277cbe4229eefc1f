package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// print adds text to the report and prints it.
func (b *bench) print(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	b.report.WriteString(text)
	fmt.Fprint(os.Stdout, text)
}

// section starts a section with a paragraph.
func (b *bench) section(title, format string, arguments ...any) {
	b.print("\n## "+title+"\n\n"+format+"\n", arguments...)
}

// table starts a table. All columns but the first are right-aligned.
func (b *bench) table(header ...string) {
	b.print("\n")
	b.row(header...)
	b.print("| ---%s |\n", strings.Repeat(" | ---:", len(header)-1))
}

func (b *bench) row(cells ...string) { b.print("| %s |\n", strings.Join(cells, " | ")) }

// omits reports a part that was skipped for a reason, and whether there is one.
func (b *bench) omits(part, reason string) bool {
	if reason != "" {
		b.Logf("LEFT OUT: %s: %s", part, reason)
		b.print("\n**Left out:** %s: %s.\n", part, reason)
	}
	return reason != ""
}

// introduce writes the head of the report.
func (b *bench) introduce() {
	read := func(file, pattern string) string {
		text, err := os.ReadFile(file) //nolint:gosec // files of the system and of the repository
		b.check(err)
		return string(regexp.MustCompile(pattern + `|\z`).FindSubmatch(text)[1])
	}
	b.print("# Performance: all figures\n\n`make bench` writes this file. [performance.md](performance.md) explains the figures.\n")
	b.table("", "")
	b.row("command", "`cd bench && go run . "+strings.Join(b.arguments, " ")+"`")
	b.row("date", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	b.row("machine", fmt.Sprintf("%s, %d processors, Linux %s, load average %s before the run", read("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.NumCPU(), read("/proc/sys/kernel/osrelease", `(\S+)`), read("/proc/loadavg", `(\S+)`)))
	b.row("versions", runtime.Version()+", Caddy "+read("../go.mod", `caddyserver/caddy/v2 (\S+)`))
}
