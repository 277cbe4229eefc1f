package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// soakTime is the duration of the load unless the variable SOAK names another one.
const soakTime = 30 * time.Second

// resources lists what a leak would consume, from the metrics of the server.
type resources struct{ goroutines, descriptors, heap float64 }

// resources reads the metrics of the process.
func (s *site) resources(t *testing.T) (r resources) {
	t.Helper()
	response, err := s.client.Get("http://" + s.Admin + "/metrics")
	if err != nil {
		t.Fatalf("metrics: %v", err)
	}
	defer response.Body.Close()
	fields := map[string]*float64{
		"go_goroutines": &r.goroutines, "process_open_fds": &r.descriptors, "go_memstats_heap_alloc_bytes": &r.heap,
	}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if field := fields[name]; field != nil {
			if *field, err = strconv.ParseFloat(value, 64); err != nil {
				t.Fatalf("metric %s = %q: %v", name, value, err)
			}
		}
	}
	return r
}

// smallest returns the smallest of each value. What a garbage collection or the end of
// a request releases is not in it.
func smallest(samples []resources) resources {
	least := samples[0]
	for _, r := range samples[1:] {
		least.goroutines, least.descriptors, least.heap = min(least.goroutines, r.goroutines), min(least.descriptors, r.descriptors), min(least.heap, r.heap)
	}
	return least
}

// TestSoak keeps a server under load: logins, requests with new and known tokens,
// refreshes, refused requests and logouts. Memory, goroutines and descriptors must be as
// low in the last quarter as in the second. SOAK=1h runs it for an hour.
func TestSoak(t *testing.T) {
	duration := soakTime
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SOAK: %v", err)
		}
	}
	s := newSite(t, caddyfile{
		Realm:  slices.Concat(debugLinks, noLimits, []string{"cache_size 1024", "max_sessions 5"}),
		Global: []string{"metrics"},
		Log:    []string{"sampling {", "\tinterval 1s", "\tfirst 5", "\tthereafter 1000", "}"}, // the test keeps the log
	})
	end := make(chan struct{})
	var workers sync.WaitGroup
	var faults sync.Map
	for worker := range 4 {
		workers.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-end:
					return
				default:
				}
				if err := s.soakRound(t, fmt.Sprintf("soak%d-%d@example.com", worker, round%25)); err != nil {
					faults.LoadOrStore(err.Error(), true)
				}
			}
		})
	}
	var samples []resources
	ticker, timer := time.NewTicker(duration/60), time.NewTimer(duration)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ticker.C:
			samples = append(samples, s.resources(t))
		case <-timer.C:
			running = false
		}
	}
	close(end)
	workers.Wait()
	faults.Range(func(fault, _ any) bool {
		t.Errorf("during the load: %v", fault)
		return true
	})
	if len(samples) < 8 {
		t.Fatalf("the server answered %d times in %s, want 8 samples", len(samples), duration)
	}
	quarter := len(samples) / 4
	before, after := smallest(samples[quarter:2*quarter]), smallest(samples[3*quarter:])
	t.Logf("%s: %d samples, second quarter %+v, last quarter %+v", duration, len(samples), before, after)
	if before.goroutines == 0 || before.descriptors == 0 || before.heap == 0 {
		t.Fatalf("resources() = %+v, want three values", before)
	}
	const someGoroutines, someDescriptors, someBytes = 20, 20, 16 << 20
	if after.goroutines > before.goroutines+someGoroutines {
		t.Errorf("goroutines grew from %.0f to %.0f", before.goroutines, after.goroutines)
	}
	if after.descriptors > before.descriptors+someDescriptors {
		t.Errorf("descriptors grew from %.0f to %.0f", before.descriptors, after.descriptors)
	}
	if after.heap > 1.25*before.heap+someBytes {
		t.Errorf("the heap grew from %.0f to %.0f bytes", before.heap, after.heap)
	}
}

// soakRound logs in, uses, refreshes and ends one session.
func (s *site) soakRound(t *testing.T, email string) error {
	s.secrets.Add("e-mail address", email)
	steps := func(wants ...int) func(method, path, body, token string) (answer, error) {
		return func(method, path, body, token string) (answer, error) {
			header := []string{"Authorization", "Token " + token}
			if token == "" {
				header = nil
			}
			got, err := s.try(t, method, path, "application/json", body, header...)
			if err == nil && !slices.Contains(wants, got.status) {
				err = fmt.Errorf("%s %s = %d, want %v", method, path, got.status, wants)
			}
			return got, err
		}
	}
	served := steps(http.StatusOK, http.StatusNoContent)
	asked, err := served(http.MethodPost, "/v1/auth/by-link/link/", fmt.Sprintf(`{"email":%q}`, email), "")
	if err != nil {
		return err
	}
	link, _ := strings.CutPrefix(asked.text(t, "_debug_auth_link"), linkPrefix)
	in, err := served(http.MethodPost, "/v1/auth/by-link/login/", fmt.Sprintf(`{"token":%q,"client_key":%q}`, link, clientKey), "")
	if err != nil {
		return err
	}
	token := in.text(t, "token")
	for range 10 {
		if _, err := served(http.MethodGet, "/whoami", "", token); err != nil {
			return err
		}
	}
	if _, err := steps(http.StatusUnauthorized)(http.MethodGet, "/whoami", "", token+"x"); err != nil {
		return err
	}
	refreshed, err := served(http.MethodPost, "/v1/auth/token/refresh/", "", token)
	if err != nil {
		return err
	}
	_, err = served(http.MethodPost, "/v1/auth/logout/", "", refreshed.text(t, "token"))
	return err
}
