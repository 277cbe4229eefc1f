package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRun(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "you asked for "+r.URL.Path)
	}))
	defer server.Close()
	clients, err := Dial(t.Context(), server.Listener.Addr().String(), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Close()
	plan := Plan{
		Requests: 100,
		Append: func(buffer []byte, i int) []byte {
			return fmt.Appendf(buffer, "GET /%d HTTP/1.1\r\nHost: example.com\r\n\r\n", i)
		},
		Check: func(i, status int, body []byte) error {
			if want := fmt.Sprintf("you asked for /%d", i); status != http.StatusOK || string(body) != want {
				return fmt.Errorf("%d %q, want %q", status, body, want)
			}
			return nil
		},
	}
	for range 2 { // connections are used again
		result, err := clients.Run(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Latencies) != 100 || result.Latencies[0] <= 0 || result.Quantile(0) > result.Quantile(1) || result.Rate() <= 0 {
			t.Errorf("result %+v", result)
		}
	}
	if served.Load() != 200 {
		t.Errorf("%d requests were served, want 200", served.Load())
	}
}

func TestRunEndsWithAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	clients, err := Dial(t.Context(), server.Listener.Addr().String(), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer clients.Close()
	wrong := errors.New("not what was expected")
	_, err = clients.Run(t.Context(), Plan{
		Requests: 1_000_000,
		Append: func(buffer []byte, _ int) []byte {
			return append(buffer, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"...)
		},
		Check: func(int, int, []byte) error { return wrong },
	})
	if !errors.Is(err, wrong) {
		t.Errorf("error %v, want %v", err, wrong)
	}
}

func TestExchangeRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
	} {
		c := &conn{Conn: noConn{}, reader: bufio.NewReader(strings.NewReader(answer))}
		if status, body, err := c.exchange(); !errors.Is(err, errAnswer) {
			t.Errorf("%q: %d %q, error %v", answer, status, body, err)
		}
	}
}

func TestServeUpstream(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- ServeUpstream(t.Context(), listener) }()
	for range 2 {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(body) != "hello\n" {
			t.Fatalf("%q, error %v", body, err)
		}
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// noConn takes what is written.
type noConn struct{ net.Conn }

func (noConn) Write(p []byte) (int, error) { return len(p), nil }
