package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// A receiver that is down for an hour gets every message afterwards, those of a user in
// order. The node is replaced meanwhile, as after kill -9.
func TestReceiverIsDownForAnHour(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	f.respond = func(received) int { return 503 }
	const messages, users = 360, 7
	for i := range messages {
		f.record(trail, user(i%users))
		f.advance(10 * time.Second)
		s.Pass(t.Context())
		if i == messages/2 {
			s = f.sender()
			trail = f.trail(s)
			f.advance(time.Minute) // the lease of the former node ends
		}
	}
	if state := f.status(s); state.Waiting != messages || state.Error == "" || !state.Oldest.Equal(start) {
		t.Errorf("Status() during the outage = %+v, want %d waiting messages", state, messages)
	}
	if f.attempts > 300 {
		t.Errorf("%d attempts in an hour, want backoff", f.attempts)
	}
	f.respond = func(received) int { return 200 }
	for range 1200 {
		f.advance(time.Second)
		s.Pass(t.Context())
	}
	if len(f.accepted) != messages {
		t.Fatalf("the receiver has %d messages, want %d", len(f.accepted), messages)
	}
	last := map[string]time.Time{}
	for _, message := range f.accepted {
		if !message.Timestamp.After(last[message.Data.User]) {
			t.Errorf("the message of %s at %s follows that of %s", message.Data.User, message.Timestamp, last[message.Data.User])
		}
		last[message.Data.User] = message.Timestamp
	}
	if state := f.status(s); state.Waiting != 0 || state.Dead != 0 {
		t.Errorf("Status() at the end = %+v, want no message", state)
	}
	if got := strings.Count(f.log.String(), "sending webhooks failed"); got != 2 {
		t.Errorf("the log reports %d failures, want one for each node: %s", got, f.log.String())
	}
}

// A message that fails delays those of the same user only.
func TestOneUserFails(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	f.respond = func(m received) int {
		if m.Data.User == "u1" {
			return 500
		}
		return 200
	}
	for i := range 30 {
		f.record(trail, user(i%3))
	}
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	if len(f.accepted) != 20 || f.status(s).Waiting != 10 {
		t.Errorf("accepted %d, waiting %d, want 20 and 10", len(f.accepted), f.status(s).Waiting)
	}
}

func TestDeadLetters(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	f.respond = func(received) int { return 422 }
	f.record(trail, "u1")
	f.record(trail, "u2")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	state := f.status(s)
	if state.Waiting != 0 || state.Dead != 2 {
		t.Fatalf("Status() after two refused messages = %+v, want 2 dead letters", state)
	}
	letters, next, err := s.DeadLetters(t.Context(), state.ID, 0, "")
	if err != nil || len(letters) != 2 || next != "" || letters[0].Attempts != 1 || !strings.Contains(letters[0].Error, "422") {
		t.Fatalf("DeadLetters() = %+v, %q, %v, want 2 with the status", letters, next, err)
	}
	f.respond = func(received) int { return 200 }
	if err := s.Retry(t.Context(), state.ID, letters[0].ID); err != nil {
		t.Errorf("Retry() = %v", err)
	}
	if err := s.Discard(t.Context(), state.ID, letters[1].ID); err != nil {
		t.Errorf("Discard() = %v", err)
	}
	s.Pass(t.Context())
	if state := f.status(s); len(f.accepted) != 1 || state.Dead != 0 || state.Waiting != 0 {
		t.Errorf("accepted %d, Status() = %+v, want one message and none left", len(f.accepted), state)
	}
	for name, err := range map[string]error{
		"Retry of a discarded message": s.Retry(t.Context(), state.ID, letters[1].ID),
		"Discard of a message twice":   s.Discard(t.Context(), state.ID, letters[1].ID),
		"Retry without an endpoint":    s.Retry(t.Context(), "other", letters[1].ID),
		"Discard of another key":       s.Discard(t.Context(), state.ID, "x"),
	} {
		if public := authcore.Unavailable(err); err == nil || public.Code != authcore.CodeNotFound {
			t.Errorf("%s = %v, want not found", name, err)
		}
	}
	if _, _, err := s.DeadLetters(t.Context(), "other", 0, ""); err == nil {
		t.Error("DeadLetters() of another endpoint = nil, want not found")
	}
}

// A message that no attempt delivers for three days is a dead letter.
func TestGiveUp(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	f.record(f.trail(s), "u1")
	f.respond = func(received) int { return 500 }
	for range 80 {
		f.advance(time.Hour)
		s.Pass(t.Context())
	}
	if state := f.status(s); state.Dead != 1 || state.Waiting != 0 {
		t.Errorf("Status() after three days = %+v, want a dead letter", state)
	}
}

// Two nodes that send at the same time deliver each message once.
func TestSeveralNodes(t *testing.T) {
	f := newFixture(t)
	nodes := []*webhook.Sender{f.sender(), f.sender(), f.sender()}
	trail := f.trail(nodes[0])
	for i := range 60 {
		f.record(trail, user(i))
	}
	f.advance(2 * time.Second)
	var running sync.WaitGroup
	for _, node := range nodes {
		running.Go(func() { node.Pass(t.Context()) })
	}
	running.Wait()
	if f.attempts != 60 || len(f.accepted) != 60 {
		t.Errorf("%d attempts and %d messages, want 60", f.attempts, len(f.accepted))
	}
	// The node that holds the lease disappears. Another one continues after the lease.
	f.record(trail, "last")
	f.advance(40 * time.Second)
	nodes[2].Pass(t.Context())
	nodes[1].Pass(t.Context())
	if len(f.accepted) != 61 {
		t.Errorf("%d messages after the end of the lease, want 61", len(f.accepted))
	}
}

func TestActions(t *testing.T) {
	f := newFixture(t)
	s := f.sender(func(e *webhook.Endpoint) { e.Actions = []authcore.EventName{authcore.EventUserDeleted} })
	trail := f.trail(s)
	f.record(trail, "u1")
	trail.Observe(t.Context(), authcore.Event{Name: authcore.EventUserDeleted, UserID: "u1"})
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	if len(f.accepted) != 1 || f.accepted[0].Type != authcore.EventUserDeleted || f.accepted[0].Data.User != "u1" {
		t.Errorf("the receiver has %+v, want the deletion only", f.accepted)
	}
}

// A reload ends the lease, so that the next node need not wait for its end.
func TestRunEndsLease(t *testing.T) {
	f := newFixture(t)
	s, next := f.sender(), f.sender()
	trail := f.trail(s)
	f.record(trail, "u1")
	f.record(trail, "u2")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	f.record(trail, "u3")
	f.advance(2 * time.Second)
	next.Pass(t.Context())
	if len(f.accepted) != 2 {
		t.Fatalf("%d messages while another node has the lease, want 2", len(f.accepted))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	next.Pass(t.Context())
	if len(f.accepted) != 3 {
		t.Errorf("%d messages after the end of Run, want 3", len(f.accepted))
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		url     string
		secrets []string
		want    string
	}{
		"https":       {"https://example.com/hook", []string{secret}, ""},
		"loopback":    {"http://127.0.0.1:9/hook", []string{secret, another}, ""},
		"http":        {"http://example.com/hook", []string{secret}, "https"},
		"no URL":      {"example.com", []string{secret}, "URL"},
		"credentials": {"https://u:p@example.com/", []string{secret}, "credentials"},
		"no secret":   {"https://example.com/", nil, "secrets"},
		"three":       {"https://example.com/", slices.Repeat([]string{secret}, 3), "secrets"},
		"no prefix":   {"https://example.com/", []string{secret[6:]}, "whsec_"},
		"short":       {"https://example.com/", []string{"whsec_AAAA"}, "24"},
	} {
		endpoint := webhook.Endpoint{URL: c.url, Secrets: c.secrets}
		err := endpoint.Validate()
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) && c.want != "" {
			t.Errorf("Validate() of %s = %v, want %q", name, err, c.want)
		}
	}
}
