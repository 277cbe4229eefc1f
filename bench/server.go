package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/edgeauth/edgeauth/internal/process"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// server is a server under test. It ends with the scope that started it.
type server struct {
	*process.Process
	// address is that of its site, admin that of Caddy's admin API.
	address, admin string
	// startup is the time from the start to the first response with status 200,
	// ready the memory at that moment.
	startup time.Duration
	ready   memory
}

// probe is a request that a server which is ready answers with status 200.
type probe struct{ path, token string }

func (b *bench) freeAddress() string { return "127.0.0.1:" + strconv.Itoa(servertest.FreePort(b)) }

// startCaddy starts the server with global options and the directives of its one site.
func (b *bench) startCaddy(global, site string, p probe) *server {
	s := &server{address: b.freeAddress(), admin: b.freeAddress()}
	config := fmt.Sprintf("{\nadmin %s\npersist_config off\nauto_https off\ngrace_period 1s\nlog {\nlevel ERROR\n}\n%s\n}\nhttp://%s {\nbind 127.0.0.1\n%s\n}\n",
		s.admin, global, s.address, site)
	b.start(s, p, b.binary, "Caddyfile", config, "run", "--adapter", "caddyfile", "--config")
	return s
}

// start starts a server with a configuration, whose path is the last argument.
func (b *bench) start(s *server, p probe, program, file, config string, arguments ...string) {
	dir := b.TempDir()
	file = filepath.Join(dir, file)
	b.check(os.WriteFile(file, []byte(config), 0o600))
	var log bytes.Buffer
	began := time.Now()
	started, err := process.Start(b.Context(), process.Options{
		Path: program, Args: append(arguments, file), Dir: dir,
		Env:    slices.Concat(os.Environ(), []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, b.environment),
		Output: &log, Timeout: 2 * time.Minute, Ready: func(ctx context.Context) bool { return s.isReady(ctx, p) },
	})
	if err != nil {
		b.Fatalf("start %s: %v\n%s", program, err, &log)
	}
	s.Process, s.startup = started, time.Since(began)
	b.Cleanup(func() {
		if err := s.Stop(syscall.SIGTERM, time.Minute); err != nil {
			b.Errorf("stop %s: %v\n%s", program, err, &log)
		}
	})
	s.ready = b.memoryOf(s)
}

func (s *server) isReady(ctx context.Context, p probe) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+p.path, http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true
	request.Header.Set("Authorization", "Token "+p.token)
	response, err := http.DefaultClient.Do(request)
	return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// processorTime returns the microseconds of processor time that servers have used.
func (b *bench) processorTime(servers []*server) (sum float64) {
	// The clock of another process in nanoseconds; see MAKE_PROCESS_CPUCLOCK in
	// include/linux/posix-timers_types.h. /proc/PID/stat counts 10 ms.
	const schedulerClock = 2
	for _, s := range servers {
		var now unix.Timespec
		b.check(unix.ClockGettime(int32(^s.PID()<<3|schedulerClock), &now)) //nolint:gosec // process IDs have 22 bits
		sum += float64(now.Nano()) / 1e3
	}
	return sum
}

// memory is resident memory in bytes: all of it, the part that is not backed by a
// file, and the largest amount so far (proc(5)).
type memory struct{ rss, anonymous, peak int64 }

func (b *bench) memoryOf(s *server) (m memory) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	b.check(err)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if field := map[string]*int64{"VmRSS": &m.rss, "RssAnon": &m.anonymous, "VmHWM": &m.peak}[name]; field != nil {
			_, err := fmt.Sscanf(value, "%d kB", field)
			b.check(err)
			*field <<= 10
		}
	}
	return m
}
