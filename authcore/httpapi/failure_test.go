package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// serve runs one endpoint and returns its answer and the log.
func serve(ctx context.Context, t *testing.T, e endpoint) (answer, string) {
	t.Helper()
	var log strings.Builder
	h := New(Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	r := httptest.NewRequest(http.MethodPost, "/", nil).WithContext(ctx)
	return h.run(route{pattern: "/x"}, e, &request{Request: r, w: httptest.NewRecorder()}), log.String()
}

func TestFailures(t *testing.T) {
	const internal = `{"detail":"Internal server error.","code":"internal"}`
	none, seven := []error{}, 7
	unavailable := &authcore.Error{Status: 503, Code: authcore.CodeUnavailable, Detail: "Later.", RetryAfter: 1, Err: io.ErrUnexpectedEOF}
	tests := []struct {
		name   string
		gone   bool // the client
		fail   func() error
		status int
		body   string
		logged string
	}{
		{"unknown error", false, func() error { return errors.New("engine") }, 500, internal, "error=engine"},
		{"wrapped error", false, func() error { return errors.Join(unavailable) }, 503, `{"detail":"Later.","code":"unavailable"}`, "unexpected EOF"},
		{"client gone", true, func() error { return unavailable }, 503, `{"detail":"Later.","code":"unavailable"}`, ""},
		{"domain error", false, func() error { return &authcore.Error{Status: 400, Code: "c", Detail: "D."} }, 400, `{"detail":"D.","code":"c"}`, ""},
		{"runtime panic", false, func() error { return none[seven] }, 500, internal, "index out of range"},
		{"panic", false, func() error { panic(errors.New("a secret")) }, 500, internal, "panic=*errors.errorString"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.gone {
				cancel()
			}
			a, log := serve(ctx, t, func(*request) (answer, error) { return answer{}, test.fail() })
			if a.status != test.status || string(a.body) != test.body {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if strings.Contains(log, "secret") || !strings.Contains(log, test.logged) || (log == "") != (test.logged == "") {
				t.Errorf("log is %q", log)
			}
			if strings.Count(log, "\n") > 1 {
				t.Errorf("logged more than once: %s", log)
			}
		})
	}
}

// The server's own signal to give up a connection is not ours to swallow.
func TestAbortIsPassedOn(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
	}()
	serve(t.Context(), t, func(*request) (answer, error) { panic(http.ErrAbortHandler) })
}

func TestReplyReportsWhatCannotBeEncoded(t *testing.T) {
	if _, err := reply(http.StatusOK, math.NaN()); err == nil {
		t.Error("no error")
	}
}

func TestSecondsAreRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Nanosecond: "1", time.Second: "1", 1001 * time.Millisecond: "2"} {
		if got := seconds(d); got != want {
			t.Errorf("%s: got %s", d, got)
		}
	}
}

// A body whose reading fails is the client's fault, not an empty one: otherwise
// a cut-off logout would end the wrong sessions.
func TestUnreadableBody(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), failing{}))
	_, err := (&request{Request: r, w: httptest.NewRecorder()}).body()
	plain, ok := errors.AsType[*plainError](err)
	if !ok || plain.status != http.StatusBadRequest || plain.Error() != "Request body could not be read." {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
