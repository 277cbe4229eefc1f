package caddymodule

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Of lines of one kind a burst is written and then one a second; those that are
// left out are counted. Lines of other kinds are none of it.
func TestSparingLog(t *testing.T) {
	var written strings.Builder
	logger := sparing(slog.New(slog.NewTextHandler(&written, nil)))
	start := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	say := func(at time.Duration, level slog.Level, message string) string {
		t.Helper()
		written.Reset()
		record := slog.NewRecord(start.Add(at), level, message, 0)
		record.AddAttrs(slog.Int("route", int(at)))
		if err := logger.With("realm", "x").WithGroup("g").Handler().Handle(t.Context(), record); err != nil {
			t.Error(err)
		}
		return written.String()
	}
	for i := range 1000 {
		if line := say(time.Duration(i), slog.LevelWarn, "failed"); (line != "") != (i < logBurst) {
			t.Fatalf("line %d: %q", i, line)
		}
	}
	for _, other := range []struct {
		level   slog.Level
		message string
	}{{slog.LevelError, "failed"}, {slog.LevelWarn, "other"}} {
		if line := say(time.Millisecond, other.level, other.message); !strings.Contains(line, "realm=x") || strings.Contains(line, "left_out") {
			t.Errorf("another kind: %q", line)
		}
	}
	if line := say(1001*time.Millisecond, slog.LevelWarn, "failed"); !strings.Contains(line, "left_out=990") {
		t.Errorf("after a second: %q", line)
	}
	if line := say(1002*time.Millisecond, slog.LevelWarn, "failed"); line != "" {
		t.Errorf("at once after that: %q", line)
	}
	for i := range 2 * logBurst {
		line := say(time.Hour+time.Duration(i), slog.LevelWarn, "failed")
		if (line != "") != (i < logBurst) || strings.Contains(line, "left_out=1") != (i == 0) {
			t.Errorf("line %d after an hour: %q", i, line)
		}
	}
}

// While the store is away every request fails, and a log that took a line with a
// stack for each would fill the disk as well (CWE-779). All are counted.
func TestOutageDoesNotFloodTheLog(t *testing.T) {
	isDeaf.Store(false)
	t.Cleanup(func() { isDeaf.Store(false) })
	path := filepath.Join(t.TempDir(), "log.json")
	s := setup{
		Port:    freePort(t),
		Globals: "log {\n output file " + path + "\n format json\n level DEBUG\n}",
		Realm:   "storage deaf\nmailer log\ninsecure_debug_links",
		Site:    "metrics /metrics",
	}
	load(t, s.caddyfile())
	token := []string{"Authorization", "Token " + login(t, s, "ann@example.com")}
	isDeaf.Store(true)
	const failures = 200
	began := time.Now()
	for range failures {
		response, _ := call(t, http.MethodGet, s.url("/v1/auth/sessions/"), nil, token...)
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
			t.Fatalf("status %d", response.StatusCode)
		}
	}
	most := logBurst + int(time.Since(began)/logPause) + 1
	_, text := call(t, http.MethodGet, s.url("/metrics"), nil)
	if want := fmt.Sprintf(`edgeauth_api_failures_total{code="unavailable",realm=""} %d`, failures); !strings.Contains(text, want) {
		t.Errorf("missing: %s", want)
	}
	lines := failedRequests(t, path)
	if len(lines) < logBurst || len(lines) > most {
		t.Errorf("%d lines for %d failures, want %d to %d", len(lines), failures, logBurst, most)
	}
	for _, line := range lines {
		if line["level"] != "warn" || line["route"] != "/sessions" || line["stacktrace"] != nil || line["stack"] != nil || line["error"] == nil {
			t.Errorf("the line is %v", line)
		}
	}
}

// failedRequests reads the lines of a log about requests that failed.
func failedRequests(t *testing.T, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == "request failed" {
			lines = append(lines, fields)
		}
	}
	return lines
}
