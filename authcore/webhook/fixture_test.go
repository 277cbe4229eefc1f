package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/authcore/webhook"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	secret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	another = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// received is a request to the receiver.
type received struct {
	header http.Header
	body   []byte
	webhook.Body
}

// fixture is a receiver, whose answers respond chooses, and a store with a clock.
type fixture struct {
	t     *testing.T
	url   string
	store authcore.Store
	log   bytes.Buffer

	mutex   sync.Mutex
	now     time.Time
	respond func(received) int
	// accepted are the messages that were answered with 200; attempts counts all.
	accepted []received
	attempts int
	// results counts the results that the nodes report.
	results map[webhook.Result]int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, store: memory.New(), now: start, respond: func(received) int { return 200 }, results: map[webhook.Result]int{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL + "/hook"
	return f
}

// ServeHTTP receives a message.
func (f *fixture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	message := received{header: r.Header, body: body}
	if err != nil || json.Unmarshal(body, &message.Body) != nil {
		f.t.Errorf("the receiver got %q, %v, want a message", body, err)
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.attempts++
	status := f.respond(message)
	if status == 200 {
		f.accepted = append(f.accepted, message)
	}
	w.WriteHeader(status)
}

func (f *fixture) clock() time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.now = f.now.Add(d)
}

// sender returns a node.
func (f *fixture) sender(change ...func(*webhook.Endpoint)) *webhook.Sender {
	f.t.Helper()
	endpoint := webhook.Endpoint{URL: f.url, Secrets: []string{secret}}
	for _, change := range change {
		change(&endpoint)
	}
	if err := endpoint.Validate(); err != nil {
		f.t.Fatalf("Validate() = %v", err)
	}
	s := webhook.New(webhook.Config{
		Store: f.store, Endpoints: []webhook.Endpoint{endpoint}, Logger: slog.New(slog.NewTextHandler(&f.log, nil)), Now: f.clock,
		Attempted: f.attempted(endpoint.ID()),
	})
	return s
}

// attempted returns what counts the results of one endpoint.
func (f *fixture) attempted(want string) func(string, webhook.Result) {
	return func(endpoint string, result webhook.Result) {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.results[result]++
		if endpoint != want {
			f.t.Errorf("Attempted(%q, %q), want the endpoint %q", endpoint, result, want)
		}
	}
}

// trail returns a trail whose entries are sent.
func (f *fixture) trail(s *webhook.Sender) *audit.Trail {
	return audit.New(audit.Config{
		Options: audit.Options{Retention: 24 * time.Hour}, Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.clock, Outbox: s.Items,
	})
}

// record stores an entry about a user.
func (f *fixture) record(trail *audit.Trail, user string) {
	f.t.Helper()
	trail.Observe(f.t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: user})
}

func (f *fixture) status(s *webhook.Sender) webhook.Status {
	f.t.Helper()
	states, err := s.Status(f.t.Context())
	if err != nil || len(states) != 1 {
		f.t.Fatalf("Status() = %+v, %v, want one endpoint", states, err)
	}
	return states[0]
}

func user(i int) string { return fmt.Sprintf("u%d", i) }
