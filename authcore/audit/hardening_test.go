package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
)

// Clients without a login fill the trail with a bounded number of entries, whatever they
// send (CWE-779). None of the attempts is lost: they are counted.
func TestHardeningAnonymousFlood(t *testing.T) {
	f := newFixture(t, audit.Options{})
	const minutes, attempts = 5, 2000
	for minute := range minutes {
		f.now = start.Add(time.Duration(minute) * time.Minute)
		for i := range attempts {
			f.Observe(t.Context(), failed(fmt.Sprintf("m%d", i%200)))
		}
	}
	f.now = start.Add(minutes * time.Minute)
	entries := f.search(audit.Query{})
	if most := minutes * 2 * 31; len(entries) > most {
		t.Errorf("%d attempts caused %d entries, want %d at most", minutes*attempts, len(entries), most)
	}
	total := 0
	for _, entry := range entries {
		total += max(1, entry.Count)
	}
	if total != minutes*attempts {
		t.Errorf("the entries count %d attempts, want %d", total, minutes*attempts)
	}
}

// While the store is down for long, memory is bounded, and logins do not displace the
// actions of operators (CWE-778). What was not stored is counted and logged.
func TestHardeningFloodDuringOutage(t *testing.T) {
	f := newFixture(t, audit.Options{})
	f.store.set(true)
	const logins = 12_000
	for i := range logins {
		f.Observe(t.Context(), login(fmt.Sprintf("u%d", i)))
	}
	f.now = start.Add(time.Second)
	f.Observe(authcore.WithOperator(t.Context(), "root", authcore.OperatorEndpoint), authcore.Event{Name: authcore.EventUserDeleted, UserID: "u1"})
	f.store.set(false)
	entries := f.search(audit.Query{Limit: 1000})
	if entries[0].Action != authcore.EventUserDeleted || entries[0].ActorID != "root" {
		t.Errorf("the newest entry = %+v, want that of the operator", entries[0])
	}
	if stored := len(entries); stored+f.dropped != logins+1 || f.dropped == 0 {
		t.Errorf("%d stored and %d dropped, want %d together", stored, f.dropped, logins+1)
	}
	if !strings.Contains(f.log.String(), "audit entries were not stored") {
		t.Error("the log does not report the dropped entries")
	}
}

// An entry that cannot be stored does not block later ones (CWE-248).
func TestHardeningOddUserID(t *testing.T) {
	f := newFixture(t, audit.Options{})
	f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: "ünïcode"})
	f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: strings.Repeat("x", 500)})
	f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: strings.Repeat("x", 20_000)})
	f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: "u1"})
	if got := len(f.search(audit.Query{})); got != 3 || f.dropped != 1 {
		t.Errorf("Search() = %d entries and %d dropped, want 3 and 1", got, f.dropped)
	}
}

// Control characters of an operator's name or an ID do not forge a line of the log
// (CWE-117).
func TestHardeningLogLines(t *testing.T) {
	f := newFixture(t, audit.Options{})
	ctx := authcore.WithOperator(t.Context(), "eve\nlevel=INFO msg=audit action=user_enabled", authcore.OperatorEndpoint)
	f.Observe(ctx, authcore.Event{Name: authcore.EventUserDisabled, UserID: "u1"})
	if got := strings.Count(f.log.String(), "\n"); got != 1 {
		t.Errorf("log = %q, want one line", f.log.String())
	}
}
