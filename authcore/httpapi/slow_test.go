package httpapi

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// A client that sends a byte now and then must not hold a request, and with it
// the shutdown of the server, for as long as it likes (CWE-400).
func TestHardeningDrippedBody(t *testing.T) {
	r, err := realm.New(t.Context(), realm.Config{
		EmailLink: "https://a.example/{token}", DebugLinks: true, Store: memory.New(),
		Clients: []authcore.Client{{Name: "web", Key: "key"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := New(Options{Realm: r})
	handler.bodyTimeout = 500 * time.Millisecond // in which a busy machine reads what is there
	server := httptest.NewServer(handler)
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprint(connection, "POST /v1/auth/by-link/link/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err := connection.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection) // the server closes what it cannot read on
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408") || !strings.Contains(string(answer), `"request_timeout"`) {
		t.Errorf("got %q, %v", answer, err)
	}

	// The deadline ends with the body: a connection that is kept serves on.
	for i := range 2 {
		if i > 0 {
			<-time.After(2 * handler.bodyTimeout)
		}
		response, err := server.Client().Post(server.URL+"/v1/auth/by-link/link/", "application/json", strings.NewReader(`{"email":"ann@example.com"}`))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %d", response.StatusCode)
		}
	}
}
