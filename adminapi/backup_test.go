package adminapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
)

// A backup that fails at the beginning is an error of the API. One that fails later
// breaks the connection: a client must not take a part for the whole (CWE-354).
func TestHardeningBackupIsWholeOrFails(t *testing.T) {
	content := bytes.Repeat([]byte("page"), 64<<10)
	failing := errors.New("disk failed")
	made := newRealm(t)
	for name, c := range map[string]struct {
		sent   []byte
		err    error
		status int
		whole  bool
	}{
		"whole":      {content, nil, http.StatusOK, true},
		"at once":    {nil, failing, http.StatusServiceUnavailable, true},
		"after half": {content[:len(content)/2], failing, http.StatusOK, false},
	} {
		t.Run(name, func(t *testing.T) {
			released := make(chan struct{})
			server := httptest.NewServer(adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
				backup := func(_ context.Context, w io.Writer) error {
					if _, err := w.Write(c.sent); err != nil {
						return err
					}
					return c.err
				}
				return &adminapi.Realm{Realm: made, Backup: backup}, func() { close(released) }, nil
			}))
			defer server.Close()
			response, err := http.Post(server.URL+"/backup", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if response.StatusCode != c.status || (err == nil) != c.whole {
				t.Errorf("POST /backup = %d with %d bytes, %v, want %d, whole %t", response.StatusCode, len(got), err, c.status, c.whole)
			}
			if c.status == http.StatusOK && c.whole && !bytes.Equal(got, content) {
				t.Errorf("POST /backup = %d bytes, want the content", len(got))
			}
			if c.status != http.StatusOK && !strings.Contains(string(got), `"code":"unavailable"`) {
				t.Errorf("POST /backup = %s, want an error of the API", got)
			}
			<-released
		})
	}
}

// A realm that cannot be found is an error of the API.
func TestRealmNotReady(t *testing.T) {
	handler := adminapi.New(func(*http.Request) (*adminapi.Realm, func(), error) {
		return nil, nil, errors.New("the realm is not ready")
	})
	for _, path := range []string{"/backup", "/lookup", "/users/search"} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
		if recorder.Code != http.StatusServiceUnavailable || !strings.Contains(recorder.Body.String(), "not ready") {
			t.Errorf("POST %s = %d %s, want 503 with the cause", path, recorder.Code, recorder.Body)
		}
	}
}
