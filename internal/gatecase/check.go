package gatecase

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Server is the upstream of the table.
type Server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
	next *Upstream
}

// seen is a request that arrived at the upstream.
type seen struct {
	method, uri, body string
	header            http.Header
}

// NewServer starts an upstream that stops at the end of the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	tb.Cleanup(s.Close)
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a missing part shows in the comparison
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, seen{r.Method, r.RequestURI, string(body), r.Header})
	if s.next != nil {
		for name, value := range s.next.Answers {
			w.Header().Set(name, value)
		}
	}
	_, _ = io.WriteString(w, "upstream")
}

// Check sends a case to the address of a gate in front of the upstream, and compares
// the results with the table.
func (s *Server) Check(t *testing.T, address string, c *Case) {
	t.Helper()
	s.mu.Lock()
	s.seen, s.next = nil, c.Upstream
	s.mu.Unlock()
	response := Send(t, address, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.checkAnswer(t, response)
	switch {
	case c.Upstream == nil && len(s.seen) > 0:
		t.Errorf("a refused request reached the upstream: %+v", s.seen[0])
	case c.Upstream != nil && len(s.seen) != 1:
		t.Errorf("%d requests reached the upstream, want 1", len(s.seen))
	case c.Upstream != nil:
		c.checkUpstream(t, s.seen[0])
	}
}

// compared lists headers that an answer has only if the table contains them.
var compared = []string{
	"Www-Authenticate", "Cache-Control", "Retry-After", "Vary", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials",
	"Location", gate.HeaderLogin, "Content-Security-Policy",
}

func (c *Case) checkAnswer(t *testing.T, r Response) {
	t.Helper()
	isPage := strings.HasPrefix(r.Body, "<!doctype html>") && strings.Contains(r.Body, "<h1>"+c.Answer.Page+"</h1>")
	if c.Answer.Page != "" && isPage {
		r.Body = c.Answer.Body
	}
	if r.Status != c.Answer.Status || r.Body != c.Answer.Body {
		t.Errorf("the answer is %d %s\nwant %d %s", r.Status, r.Body, c.Answer.Status, c.Answer.Body)
	}
	want := http.Header{}
	for name, values := range c.Answer.Headers {
		want[http.CanonicalHeaderKey(name)] = values
	}
	names := compared
	if want["Content-Type"] != nil {
		names = append(slices.Clone(names), "Content-Type")
	}
	for _, name := range names {
		if got, want := strings.Join(r.Header[name], ", "), strings.Join(want[name], ", "); got != want {
			t.Errorf("the answer has %s %q, want %q", name, got, want)
		}
	}
}

// ownHeaders lists headers that a proxy writes itself.
var ownHeaders = []string{"connection", "content-length", "host", "user-agent", "accept-encoding", "via", "te"}

func (c *Case) checkUpstream(t *testing.T, s seen) {
	t.Helper()
	if s.method != c.Request.Method || s.uri != c.Request.Path || s.body != c.Request.Body {
		t.Errorf("the upstream got %s %s %q, want the request of the case", s.method, s.uri, s.body)
	}
	want := c.forwarded()
	got := map[string][]string{}
	for name, values := range s.header {
		got[strings.ToLower(name)] = values
	}
	for name, values := range want {
		if !slices.Contains(ownHeaders, name) && fmt.Sprint(got[name]) != fmt.Sprint(values) {
			t.Errorf("the upstream got %s %q, want %q", name, got[name], values)
		}
	}
	for name, values := range got {
		if _, expected := want[name]; !expected && c.isSensitive(name) {
			t.Errorf("the upstream got %s %q, want no such header", name, values)
		}
	}
}

// forwarded returns the expected headers at the upstream, in lower case.
func (c *Case) forwarded() map[string][]string {
	want := map[string][]string{}
	for _, header := range c.Request.Headers {
		name := strings.ToLower(header[0])
		want[name] = append(want[name], string(latin1(header[1])))
	}
	maps.DeleteFunc(want, func(name string, _ []string) bool { return slices.Contains(c.Upstream.Removed, name) })
	for name, value := range c.Upstream.Added {
		want[strings.ToLower(name)] = []string{value}
	}
	return want
}

// isSensitive reports whether a header must not arrive unless the table contains it.
func (c *Case) isSensitive(name string) bool {
	var configured []string
	list, _ := c.Config["headers"].([]any)
	for _, element := range list {
		header, _ := element.(string)
		configured = append(configured, header)
	}
	_, managed, _ := gate.ChosenHeaders(configured) // a fault shows in the answer
	site := gate.Site{Managed: managed}
	return name == "authorization" || name == "cookie" || site.IsManaged(name)
}
