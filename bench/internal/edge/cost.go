package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the processor time that the process has used, in user and system
// mode, to the nanosecond.
func (e *Edge) CPU() (time.Duration, error) {
	// The clock of another process; see MAKE_PROCESS_CPUCLOCK in
	// include/linux/posix-timers_types.h. /proc/PID/stat counts in ticks of 10 ms.
	const schedulerClock = 2
	clock := int32(^e.pid()<<3 | schedulerClock) //nolint:gosec // pids have 22 bits
	var now unix.Timespec
	if err := unix.ClockGettime(clock, &now); err != nil {
		return 0, fmt.Errorf("processor time of the edge: %w", err)
	}
	return time.Duration(now.Nano()), nil
}

// Memory is resident memory in bytes (proc(5)).
type Memory struct {
	// RSS is all of it, Anonymous what is not backed by a file: without the
	// program itself and without pages of a database, which the system takes
	// back when it needs them.
	RSS, Anonymous int64
	// Peak is the most that RSS has ever been.
	Peak int64
}

// Memory returns the memory of the process.
func (e *Edge) Memory() (Memory, error) {
	text, err := os.ReadFile(e.proc("status"))
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	fields := map[string]*int64{"VmRSS": &m.RSS, "RssAnon": &m.Anonymous, "VmHWM": &m.Peak}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		field := fields[name]
		if field == nil {
			continue
		}
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		kilobytes, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("%s: %w", name, err)
		}
		*field = kilobytes << 10
	}
	return m, nil
}

// Heap is what the Go runtime of the process says about itself.
type Heap struct {
	// Mallocs is the number of allocations up to now.
	Mallocs uint64
	// HeapAlloc is the size of live and not yet collected objects, in bytes.
	HeapAlloc uint64
	// NumGC is the number of collections up to now.
	NumGC uint32
}

// Heap asks the admin API, which takes some allocations itself.
func (e *Edge) Heap(ctx context.Context) (Heap, error) {
	var answer struct {
		Memstats Heap `json:"memstats"`
	}
	err := e.admin(ctx, "/debug/vars", func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&answer)
	})
	return answer.Memstats, err
}

// Profile has the process write a profile of its processor time for a while.
func (e *Edge) Profile(ctx context.Context, duration time.Duration, to io.Writer) error {
	seconds := strconv.Itoa(max(1, int(duration.Seconds())))
	return e.admin(ctx, "/debug/pprof/profile?seconds="+seconds, func(body io.Reader) error {
		_, err := io.Copy(to, body)
		return err
	})
}

// Collect has the process collect its garbage.
func (e *Edge) Collect(ctx context.Context) error {
	return e.admin(ctx, "/debug/pprof/heap?gc=1", func(body io.Reader) error {
		_, err := io.Copy(io.Discard, body)
		return err
	})
}

func (e *Edge) admin(ctx context.Context, path string, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.Admin+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("admin API: %s", response.Status)
	}
	return errors.Join(read(response.Body), response.Body.Close())
}
