package captcha_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/captcha"
)

// A service that is down, broken or replaced neither lets requests pass nor reports a
// wrong captcha: the answer is 503, in bounded time and memory (CWE-636, CWE-770).
func TestHardeningBrokenService(t *testing.T) {
	huge := strings.Repeat(" ", 64<<10) + `{"success":true}`
	for name, test := range map[string]struct {
		respond http.HandlerFunc
		why     string
	}{
		"500":           {status(500, `{"success":true}`), "status 500"},
		"429":           {status(429, `{"success":true}`), "status 429"},
		"HTML":          {status(200, `<html>success</html>`), "siteverify"},
		"empty":         {status(200, ``), "siteverify"},
		"null":          {status(200, `null`), "siteverify"},
		"array":         {status(200, `[true]`), "siteverify"},
		"no success":    {status(200, `{}`), "siteverify"},
		"success text":  {status(200, `{"success":"true"}`), "siteverify"},
		"trailing data": {status(200, `{"success":true}{`), "siteverify"},
		"huge":          {status(200, huge), "64 KiB"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 4096))); err != nil {
					return
				}
			}
		}, "64 KiB"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"success":true}`)) // the client reports what is missing
		}, "connection"},
		"hangs": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "in time"},
		"drips": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			s.respond = func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm() // otherwise the server does not notice that the client is gone
				test.respond(w, r)
			}
			timeout := 20 * time.Second
			if test.why == "in time" {
				timeout = 50 * time.Millisecond
			}
			v := s.verifier(t, func(c *captcha.Config) { c.Timeout = timeout })
			err := v.Verify(t.Context(), "solved", ip)
			wantCode(t, "Verify()", err, 503, authcore.CodeUnavailable)
			if err != nil && !strings.Contains(err.Error(), test.why) {
				t.Errorf("Verify() = %v, want %q", err, test.why)
			}
			if public, ok := errors.AsType[*authcore.Error](err); ok && public.RetryAfter <= 0 {
				t.Error("Verify() = an error without RetryAfter, want one")
			}
		})
	}
	t.Run("no server", func(t *testing.T) {
		s := newService(t)
		v := s.verifier(t, nil)
		s.Close()
		wantCode(t, "Verify()", v.Verify(t.Context(), "solved", ip), 503, authcore.CodeUnavailable)
	})
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // a client that is gone needs no answer
	}
}

// A service that was taken over, or a typing error in its address, redirects the request
// to another host, which would receive the secret (CWE-601).
func TestHardeningRedirectGetsNoSecret(t *testing.T) {
	received := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { received = true }))
	defer thief.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := newService(t)
		s.respond = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, code) }
		wantCode(t, "Verify() with a redirect", s.verifier(t, nil).Verify(t.Context(), "solved", ip), 503, authcore.CodeUnavailable)
	}
	if received {
		t.Error("the redirect was followed, want an error")
	}
}

// The service repeats the secret and the response in its answers; errors are logged and
// must contain neither of them (CWE-532).
func TestHardeningErrorsContainNoSecret(t *testing.T) {
	const response = "response-of-the-widget"
	s := newService(t)
	for name, respond := range map[string]http.HandlerFunc{
		"codes":    status(200, `{"success":false,"error-codes":["`+secret+`","`+response+`","invalid-input-secret"]}`),
		"not JSON": status(200, secret+response),
		"500":      status(500, secret+response),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/?"+secret+response, http.StatusFound)
		},
	} {
		s.respond = respond
		err := s.verifier(t, nil).Verify(t.Context(), response, ip)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), response) || strings.Contains(err.Error(), s.URL) {
			t.Errorf("Verify() with %s = %v, want an error without secret, response and address", name, err)
		}
	}
}

// A response is made on a page of an attacker with the public site key, for another
// action, and is used here (CWE-346).
func TestHardeningForeignWidget(t *testing.T) {
	s := newService(t)
	for _, name := range []string{"evil.example", "app.example.com.evil.example", "evilapp.example.com", "app.example.com.", "not-provided"} {
		s.says(200, `{"success":true,"hostname":"`+name+`"}`)
		wantCode(t, "Verify() of a widget on "+name, s.verifier(t, nil).Verify(t.Context(), "solved", ip), 400, authcore.CodeCaptchaFailed)
	}
}

// While the service hangs, requests without end would hold memory and goroutines
// (CWE-770). Those over the limit fail without waiting.
func TestHardeningPendingCalls(t *testing.T) {
	s := newService(t)
	release, arrived := make(chan struct{}), make(chan struct{}, 1000)
	s.respond = func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		status(200, `{"success":true}`)(w, r)
	}
	v := s.verifier(t, func(c *captcha.Config) { c.Timeout = time.Minute })
	var group sync.WaitGroup
	for range 256 {
		group.Go(func() { _ = v.Verify(context.WithoutCancel(t.Context()), "solved", netip.Addr{}) })
	}
	for range 256 {
		<-arrived
	}
	wantCode(t, "Verify() of one call too many", v.Verify(t.Context(), "solved", ip), 503, authcore.CodeUnavailable)
	close(release)
	group.Wait()
	wantCode(t, "Verify() after the others", v.Verify(t.Context(), "solved", ip), 200, "")
}

// FuzzAnswer sends answers of a hostile service: none panics, and only success is
// accepted.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"success":true,"hostname":"app.example.com"}`, `{"success":false,"error-codes":["bad-request"]}`, `{"success":1}`,
		`null`, `[]`, `{"success":true,"error-codes":{}}`, "\xff", ``, `{"SUCCESS":true}`,
	} {
		f.Add(200, []byte(body))
	}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		if code < 200 || code > 599 || code == 204 || code == 304 {
			return
		}
		transport := roundTripper(func(*http.Request) *http.Response {
			recorder := httptest.NewRecorder()
			recorder.WriteHeader(code)
			recorder.Write(body)
			return recorder.Result()
		})
		cfg := captcha.Config{VerifyURL: "https://captcha.example/", Secret: secret, Hostnames: []string{host}, Transport: transport}
		cfg.SetDefaults()
		err := captcha.New(cfg).Verify(t.Context(), "solved", ip)
		if err == nil && (code >= 500 || !strings.Contains(strings.ToLower(string(body)), "true")) {
			t.Errorf("Verify() with %d %q = nil, want an error", code, body)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("Verify() = %v, which contains the secret", err)
		}
	})
}

type roundTripper func(*http.Request) *http.Response

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	return r(request), nil
}
