package caddymodule

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// streamBound is the documented time after which a stream has ended, with room for a
// busy machine.
const streamBound = 10 * time.Second

// newStreams returns an upstream with an event stream at /events, an endless body in
// both directions at /grpc, and an upgrade to an echo at /socket.
func newStreams(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket" {
			echo(w)
			return
		}
		contentType := map[string]string{"/events": "text/event-stream", "/grpc": "application/grpc"}[r.URL.Path]
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				if r.URL.Query().Has("idle") {
					continue
				}
				_, _ = io.WriteString(w, "data: next\n\n")
				_ = http.NewResponseController(w).Flush()
			}
		}
	}))
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols = &protocols
	server.Start()
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func echo(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

// A user logs out or is disabled while an event stream, a gRPC call or a WebSocket is
// open, and keeps receiving data through it (CWE-613). The stream ends within two
// seconds, whatever the upstream and flush_interval do.
func TestHardeningStreamsEndWithTheSession(t *testing.T) {
	upstream := newStreams(t)
	address := "127.0.0.1:" + freePort(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Globals: "servers {\n protocols h1 h2c\n}",
		Site: "token_auth\n handle /grpc {\n reverse_proxy h2c://" + upstream + "\n }\n handle /flushed/* {\n uri strip_prefix /flushed\n reverse_proxy " + upstream +
			" {\n flush_interval -1\n }\n }\n handle {\n reverse_proxy " + upstream + "\n }",
	}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	for name, open := range map[string]func(token string) io.ReadCloser{
		"SSE":                  func(token string) io.ReadCloser { return openStream(t, s, "/events", token, false) },
		"idle SSE":             func(token string) io.ReadCloser { return openStream(t, s, "/events?idle", token, false) },
		"SSE, flush_interval":  func(token string) io.ReadCloser { return openStream(t, s, "/flushed/events", token, false) },
		"SSE over HTTP/2":      func(token string) io.ReadCloser { return openStream(t, s, "/events", token, true) },
		"idle SSE over HTTP/2": func(token string) io.ReadCloser { return openStream(t, s, "/events?idle", token, true) },
		"gRPC":                 func(token string) io.ReadCloser { return openStream(t, s, "/grpc", token, true) },
		"idle gRPC":            func(token string) io.ReadCloser { return openStream(t, s, "/grpc?idle", token, true) },
		"WebSocket":            func(token string) io.ReadCloser { return openSocket(t, s, token) },
	} {
		for _, end := range []string{"logout", "disable"} {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				email := fmt.Sprintf("%s-%s@example.com", strings.NewReplacer(" ", "", ",", "", "/", "").Replace(name), end)
				token, other := login(t, s, email), login(t, s, "other-"+email)
				stream, kept := open(token), open(other)
				defer stream.Close()
				defer kept.Close()
				if end == "logout" {
					post(t, s.url("/v1/auth/logout/"), nil, http.StatusNoContent, "Authorization", "Token "+token)
				} else if _, err := operate(address, "user", "disable", email); err != nil {
					t.Fatal(err)
				}
				ended := make(chan time.Duration, 1)
				began := time.Now()
				go func() {
					_, _ = io.Copy(io.Discard, stream)
					ended <- time.Since(began)
				}()
				select {
				case <-ended:
				case <-time.After(streamBound):
					t.Fatalf("the stream did not end within %s", streamBound)
				}
				alive := make(chan struct{})
				go func() {
					_, _ = io.Copy(io.Discard, kept)
					close(alive)
				}()
				select {
				case <-alive:
					t.Error("the stream of another user ended")
				case <-time.After(2 * streamInterval):
				}
			})
		}
	}
}

// openStream begins a request and reads the first event.
func openStream(t *testing.T, s setup, path, token string, http2 bool) io.ReadCloser {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Token "+token)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	first := make([]byte, len("data: first\n\n"))
	if _, err := io.ReadFull(response.Body, first); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d %q, %v, want the first event", path, response.StatusCode, first, err)
	}
	return response.Body
}

// openSocket upgrades a connection and exchanges a message.
func openSocket(t *testing.T, s setup, token string) io.ReadCloser {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+s.Port)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Token %s\r\n\r\n", s.Port, token)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade = %+v, %v, want 101", response, err)
	}
	fmt.Fprintf(conn, "ping")
	answer := make([]byte, 4)
	if _, err := io.ReadFull(reader, answer); err != nil || string(answer) != "ping" {
		t.Fatalf("echo = %q, %v, want ping", answer, err)
	}
	return conn
}
