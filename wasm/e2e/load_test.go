package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/http-wasm/http-wasm-host-go/handler"

	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// gated returns the module in front of the upstream of a test.
func gated(t *testing.T, upstream http.HandlerFunc, options ...handler.Option) (address, token string) {
	t.Helper()
	now := built.AddDate(1, 0, 0)
	c := find(t, "a good token")
	behind := httptest.NewServer(upstream)
	t.Cleanup(behind.Close)
	proxy := proxyTo(t, behind.URL)
	server := httptest.NewServer((&host{module: at(&now)}).start(t, module, c.ConfigJSON(t), proxy, options...))
	t.Cleanup(server.Close)
	return server.URL, c.Request.Headers[0][1]
}

func get(t *testing.T, method, url, token string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext = %v", err)
	}
	r.Header.Set("Authorization", token)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("http.DefaultClient.Do = %v", err)
	}
	t.Cleanup(func() { _ = w.Body.Close() })
	return w
}

// 200 requests are in flight simultaneously: each keeps an instance, of 6 to 10 MB, until
// its answer is complete.
func TestManyInFlight(t *testing.T) {
	const many = 200
	var arrived sync.WaitGroup
	arrived.Add(many)
	memory := &sizes{}
	address, token := gated(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait() // all of them have arrived
		_, _ = io.WriteString(w, "upstream")
	}, memory.option(t))
	var clients sync.WaitGroup
	for range many {
		clients.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Errorf("http.NewRequestWithContext = %v", err)
				return
			}
			r.Header.Set("Authorization", token)
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Errorf("http.DefaultClient.Do = %v", err)
				return
			}
			defer func() { _ = w.Body.Close() }()
			if body, err := io.ReadAll(w.Body); w.StatusCode != http.StatusOK || string(body) != "upstream" {
				t.Errorf("the answer is %d %s, %v, want that of the upstream", w.StatusCode, body, err)
			}
		})
	}
	clients.Wait()
	t.Logf("%d requests in flight take %d MB", many, memory.memory()>>20)
	if each := memory.memory() / many; each > 12<<20 {
		t.Errorf("an instance takes %d bytes, want 12 MB at the most", each)
	}
}

// 20 MB in each direction do not pass through the memory of the module.
func TestLargeBodies(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	memory := &sizes{}
	address, token := gated(t, func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		_, _ = io.Copy(hash, r.Body)
		w.Header().Set("X-Sum", fmt.Sprintf("%x", hash.Sum(nil)))
		_, _ = w.Write(content)
	}, memory.option(t))
	for range 2 {
		before := memory.largest()
		w := get(t, http.MethodPost, address, token, bytes.NewReader(content))
		hash := sha256.New()
		if n, err := io.Copy(hash, w.Body); err != nil || n != int64(len(content)) {
			t.Errorf("the answer has %d bytes, %v, want all", n, err)
		}
		if w.Header.Get("X-Sum") != sum || fmt.Sprintf("%x", hash.Sum(nil)) != sum {
			t.Error("the hash of a body differs")
		}
		if after := memory.largest(); after > before+1<<20 { // the first token makes the tables of its key
			t.Errorf("the memory of a guest grew from %d to %d bytes", before, after)
		}
	}
}

// Events arrive when they are sent, while the answer continues.
func TestServerSentEvents(t *testing.T) {
	next := make(chan struct{})
	address, token := gated(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next: // the client has it
			case <-r.Context().Done():
				return
			}
		}
	})
	w := get(t, http.MethodGet, address, token, nil)
	reader := bufio.NewReader(w.Body)
	for i := range 3 {
		line, err := reader.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("the event is %q, %v, want number %d", line, err, i)
		}
		if _, err := reader.ReadString('\n'); err != nil {
			t.Fatalf("reader.ReadString = %v", err)
		}
		next <- struct{}{}
	}
}

// An upstream fails in the middle of its answer. A client that has the length notices;
// without a length the answer looks complete, because http-wasm-host-go recovers from
// the panic of the proxy, for every guest, and a guest cannot abort an answer. Later
// requests are not affected.
func TestTruncatedUpstream(t *testing.T) {
	address, token := gated(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", "100")
		case "/chunks":
		default:
			_, _ = io.WriteString(w, "upstream")
			return
		}
		_, _ = io.WriteString(w, "ten bytes.")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	for range 5 {
		for path, breaks := range map[string]bool{"/length": true, "/chunks": false, "/": false} {
			w := get(t, http.MethodGet, address+path, token, nil)
			if body, err := io.ReadAll(w.Body); w.StatusCode != http.StatusOK || (err != nil) != breaks {
				t.Errorf("GET %s = %d %q, %v, want 200, truncated: %t", path, w.StatusCode, body, err, breaks)
			}
		}
	}
}

// A host passes another configuration: an invalid one is refused, and the one before
// stays in force.
func TestReconfigure(t *testing.T) {
	// Otherwise the pool of the host makes another instance, with the invalid
	// configuration, after a garbage collection or on another processor.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	c := find(t, "the right method")
	config := c.ConfigJSON(t) // the host reads it with every call
	memory := &sizes{}
	address := serve(t, &host{module: at(&now)}, module, config, upstream, memory.option(t))
	upstream.Check(t, address, c)
	reconfigure := func(old, changed string, want uint64) {
		t.Helper()
		if len(old) != len(changed) || !strings.Contains(string(config), old) {
			t.Fatalf("replacing %s by %s is not possible", old, changed)
		}
		copy(config, strings.Replace(string(config), old, changed, 1))
		for i := 1; memory.runtime.Module(fmt.Sprint(i)) != nil; i++ {
			result, err := memory.runtime.Module(fmt.Sprint(i)).ExportedFunction("reconfigure").Call(t.Context())
			if err != nil || result[0] != want {
				t.Errorf("reconfigure with %s = %v, %v, want %d", changed, result, err, want)
			}
		}
	}
	reconfigure(`"method"`, `"method `, 1) // not JSON any more
	upstream.Check(t, address, c)
	reconfigure(`"method `, `"method"`, 0)
	reconfigure(`"link"`, `"mail"`, 0)
	refused := find(t, "another method")
	refused.Request = c.Request
	upstream.Check(t, address, refused)
	reconfigure(`"mail"`, `"link"`, 0)
	upstream.Check(t, address, c)
	now = now.Add(time.Hour)
	upstream.Check(t, address, c)
}
