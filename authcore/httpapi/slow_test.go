package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// A client that sends a byte now and then must not hold a request, and with it the
// shutdown of the server, forever (CWE-400).
func TestHardeningDrippedBody(t *testing.T) {
	r, err := realm.New(t.Context(), realm.Config{
		EmailLink: "https://a.example/{token}", DebugLinks: true, Store: memory.New(),
		Clients: []authcore.Client{{Name: "web", Key: "key"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := New(Options{Realm: r})
	handler.bodyTimeout = 500 * time.Millisecond // enough for a busy machine to read a short body
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
	answer, err := io.ReadAll(connection) // the server closes the connection
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408") || !strings.Contains(string(answer), `"request_timeout"`) {
		t.Errorf("got %q, %v", answer, err)
	}

	// The deadline ends with the body: the connection serves further requests.
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

// hangingStore never answers.
type hangingStore struct{ authcore.Store }

func (hangingStore) User(ctx context.Context, _ authcore.UserRef) (authcore.User, error) {
	<-ctx.Done()
	return authcore.User{}, errors.Join(authcore.ErrUnavailable, ctx.Err())
}

// A store that hangs is a 503 within the time of one request.
func TestHardeningHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := realm.New(t.Context(), realm.Config{
			EmailLink: "https://a.example/{token}", DebugLinks: true, Store: hangingStore{memory.New()},
			Clients: []authcore.Client{{Name: "web", Key: "key"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest(http.MethodPost, "/v1/auth/by-link/link/", strings.NewReader(`{"email":"ann@example.com"}`))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		began := time.Now()
		New(Options{Realm: r}).ServeHTTP(recorder, request)
		if took := time.Since(began); recorder.Code != http.StatusServiceUnavailable || took != requestTimeout {
			t.Errorf("answer = %d after %s, want 503 after %s", recorder.Code, took, requestTimeout)
		}
	})
}
