package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func dial(t *testing.T, handler http.Handler) *Clients {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	clients, err := Dial(t.Context(), server.Listener.Addr().String(), 4)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(clients.Close)
	return clients
}

func TestRun(t *testing.T) {
	var served atomic.Int64
	clients := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "path "+r.URL.Path)
	}))
	request := func(buffer []byte, i int) []byte {
		return fmt.Appendf(buffer, "GET /%d HTTP/1.1\r\nHost: example.com\r\n\r\n", i)
	}
	check := func(i, status int, body []byte) error {
		if want := fmt.Sprintf("path /%d", i); status != http.StatusOK || string(body) != want {
			return fmt.Errorf("response %d %q, want %q", status, body, want)
		}
		return nil
	}
	for range 2 { // the connections stay open
		result, err := clients.Run(t.Context(), 100, request, check)
		if err != nil {
			t.Fatalf("Run: %v", err)
		}
		if len(result.Latencies) != 100 || result.Latencies[0] <= 0 || result.Quantile(0) > result.Quantile(1) || result.Rate() <= 0 {
			t.Errorf("Run = %+v, want 100 ascending latencies", result)
		}
	}
	if served.Load() != 200 {
		t.Errorf("the server received %d requests, want 200", served.Load())
	}
}

func TestRunEndsWithAnError(t *testing.T) {
	clients := dial(t, http.NotFoundHandler())
	wrong := errors.New("unexpected response")
	_, err := clients.Run(t.Context(), 1_000_000, func(buffer []byte, _ int) []byte {
		return append(buffer, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"...)
	}, func(int, int, []byte) error { return wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("Run = %v, want %v", err, wrong)
	}
}

func TestExchangeRefuses(t *testing.T) {
	for _, response := range []string{
		"",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
	} {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			_, _ = theirs.Read(make([]byte, 100))
			_, _ = theirs.Write([]byte(response))
		}()
		c := &conn{Conn: ours, reader: bufio.NewReader(ours), request: []byte("GET")}
		if status, err := c.exchange(); err == nil {
			t.Errorf("exchange with response %q = %d, want an error", response, status)
		}
		_ = ours.Close()
	}
}

func TestServeUpstream(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ServeUpstream(listener)
	}()
	for range 2 {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			t.Fatalf("Get: %v", err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(body) != "hello\n" {
			t.Fatalf("body = %q, %v, want hello", body, err)
		}
	}
	_ = listener.Close()
	<-done
}
