package webhook_test

import (
	"maps"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// Each attempt has one result, whatever becomes of the message.
func TestResults(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	statuses := map[string]int{"u1": 200, "u2": 410, "u3": 500}
	f.respond = func(m received) int { return statuses[m.Data.User] }
	for name := range statuses {
		f.record(trail, name)
	}
	endpoint := f.status(s).ID
	damaged := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: webhook.Kind, Key: endpoint + ":msg_x"}, Owner: "due:" + endpoint,
		Created: start, Expires: start.Add(30 * 24 * time.Hour), Data: []byte("{"),
	}
	if err := f.store.PutRecord(t.Context(), damaged, authcore.PutOptions{Now: start}); err != nil {
		t.Fatalf("PutRecord() = %v", err)
	}
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	want := map[webhook.Result]int{webhook.ResultSent: 1, webhook.ResultRejected: 1, webhook.ResultRetried: 1, webhook.ResultDamaged: 1}
	if !maps.Equal(f.results, want) {
		t.Errorf("results = %v, want %v", f.results, want)
	}
	f.advance(80 * time.Hour)
	s.Pass(t.Context())
	want[webhook.ResultExpired] = 1
	if !maps.Equal(f.results, want) {
		t.Errorf("results after three days = %v, want %v", f.results, want)
	}
	if got := webhook.Results(); len(got) != len(want) {
		t.Errorf("Results() = %v, want the %d that occur", got, len(want))
	}
}

// Every node measures the backlog, and reports it without I/O.
func TestBacklogs(t *testing.T) {
	f := newFixture(t)
	s, other := f.sender(), f.sender()
	trail := f.trail(s)
	if got := s.Backlogs(); len(got) != 0 {
		t.Errorf("Backlogs() before the first measurement = %+v, want none", got)
	}
	f.respond = func(m received) int {
		if m.Data.User == "u1" {
			return 422
		}
		return 503
	}
	f.record(trail, "u1")
	f.advance(time.Second)
	f.record(trail, "u2")
	f.record(trail, "u2")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	other.Pass(t.Context()) // it does not hold the lease
	want := webhook.Backlog{Endpoint: f.status(s).ID, Waiting: 2, Dead: 1, Oldest: start.Add(time.Second)}
	for name, node := range map[string]*webhook.Sender{"the node that sends": s, "another node": other} {
		if got := node.Backlogs(); len(got) != 1 || got[0] != want {
			t.Errorf("Backlogs() of %s = %+v, want %+v", name, got, want)
		}
	}
	f.respond = func(received) int { return 200 }
	f.advance(10 * time.Second)
	s.Pass(t.Context())
	if got := s.Backlogs(); got[0] != want {
		t.Errorf("Backlogs() after 10 seconds = %+v, want the measurement of then", got)
	}
	f.advance(10 * time.Second)
	s.Pass(t.Context())
	want.Waiting, want.Oldest = 0, time.Time{}
	if got := s.Backlogs(); got[0] != want {
		t.Errorf("Backlogs() after 20 seconds = %+v, want %+v", got, want)
	}
}

// All nodes report the last success, also after a restart.
func TestLastSuccess(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	if got := f.status(s).LastSuccess; !got.IsZero() {
		t.Errorf("LastSuccess before a message = %s, want zero", got)
	}
	for _, c := range []struct {
		status int
		want   time.Time
	}{{200, start.Add(2 * time.Second)}, {500, start.Add(2 * time.Second)}, {200, start.Add(time.Hour + 4*time.Second)}} {
		f.respond = func(received) int { return c.status }
		f.record(trail, "u1")
		f.advance(2 * time.Second)
		s.Pass(t.Context())
		if got := f.status(f.sender()).LastSuccess; !got.Equal(c.want) {
			t.Errorf("LastSuccess after status %d = %s, want %s", c.status, got, c.want)
		}
		if c.status != 200 {
			f.advance(time.Hour - 2*time.Second)
		}
	}
}
