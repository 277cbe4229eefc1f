package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/storage/memory"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// faultyStore fails while down is set, and counts the steps.
type faultyStore struct {
	authcore.Store
	mutex sync.Mutex
	down  bool
	steps int
}

func (f *faultyStore) set(down bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.down = down
}

func (f *faultyStore) Import(ctx context.Context, items []authcore.Item) (int, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.steps++
	if f.down {
		return 0, fmt.Errorf("%w: the test", authcore.ErrUnavailable)
	}
	return f.Store.Import(ctx, items)
}

type fixture struct {
	*audit.Trail
	t       *testing.T
	store   *faultyStore
	now     time.Time
	log     bytes.Buffer
	dropped int
}

func newFixture(t *testing.T, options audit.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &faultyStore{Store: memory.New()}, now: start}
	if err := options.Validate(); err != nil {
		t.Fatalf("Validate() = %v", err)
	}
	f.Trail = audit.New(audit.Config{
		Options: options, Store: f.store, Realm: "staff", Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
		Now: func() time.Time { return f.now }, Dropped: func(n int) { f.dropped += n },
	})
	return f
}

func (f *fixture) search(query audit.Query) []audit.Entry {
	f.t.Helper()
	var all []audit.Entry
	for cursor := ""; ; {
		entries, next, err := f.Search(f.t.Context(), query, cursor)
		if err != nil {
			f.t.Fatalf("Search(%+v) = %v", query, err)
		}
		all = append(all, entries...)
		if cursor = next; cursor == "" {
			return all
		}
	}
}

// stored returns the number of stored entries.
func (f *fixture) stored() int {
	f.t.Helper()
	records, err := authcore.AllRecords(f.t.Context(), f.store, authcore.RecordFilter{Kind: audit.Kind}, f.now)
	if err != nil {
		f.t.Fatalf("AllRecords() = %v", err)
	}
	return len(records)
}

func login(user string) authcore.Event {
	return authcore.Event{Name: authcore.EventLogin, Method: "link", Client: "web", UserID: user, SessionID: "s"}
}

func failed(method string) authcore.Event {
	return authcore.Event{Name: authcore.EventLoginFailed, Method: method, Code: authcore.CodeInvalidToken}
}

func TestActors(t *testing.T) {
	for name, c := range map[string]struct {
		operator bool
		event    authcore.Event
		actor    audit.Actor
		id       string
		result   string
	}{
		"user":     {false, login("u1"), audit.ActorUser, "u1", audit.Success},
		"client":   {false, failed("link"), audit.ActorClient, "", audit.Failure},
		"operator": {true, authcore.Event{Name: authcore.EventUserDisabled, UserID: "u1"}, audit.ActorOperator, "root", audit.Success},
		"system":   {false, authcore.Event{Name: authcore.EventRolesChanged, UserID: "u1"}, audit.ActorSystem, "", audit.Success},
		"reuse":    {false, authcore.Event{Name: authcore.EventReuse, UserID: "u1", Code: authcore.CodeInvalidToken}, audit.ActorClient, "", audit.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, audit.Options{})
			ctx := t.Context()
			if c.operator {
				ctx = authcore.WithOperator(ctx, "root", authcore.OperatorEndpoint)
			}
			f.Observe(ctx, c.event)
			got := f.search(audit.Query{})
			if len(got) != 1 || got[0].Actor != c.actor || got[0].ActorID != c.id || got[0].Outcome != c.result || got[0].User != c.event.UserID {
				t.Errorf("Search() = %+v, want one %s by %s %q", got, c.result, c.actor, c.id)
			}
			if got[0].Realm != "staff" || got[0].ID == "" || !got[0].Time.Equal(start) {
				t.Errorf("Search() = %+v, want an entry of the realm staff at %s", got, start)
			}
		})
	}
}

// Changes of accounts are in the store when Observe returns; logins are collected.
func TestWhatIsWrittenImmediately(t *testing.T) {
	for name, c := range map[authcore.EventName]int{
		authcore.EventLogin: 0, authcore.EventLogout: 0, authcore.EventSignup: 0, authcore.EventRefresh: 0,
		authcore.EventUnlinked: 1, authcore.EventEmailChanged: 1, authcore.EventFactorRemoved: 1, authcore.EventReuse: 1, authcore.EventKeyCreated: 1,
	} {
		f := newFixture(t, audit.Options{})
		f.Observe(t.Context(), authcore.Event{Name: name, UserID: "u1"})
		if got := f.stored(); got != c {
			t.Errorf("Observe(%s) stored %d entries, want %d", name, got, c)
		}
	}
	f := newFixture(t, audit.Options{})
	f.Observe(authcore.WithOperator(t.Context(), "", authcore.OperatorPage), authcore.Event{Name: authcore.EventLogout, UserID: "u1"})
	if got := f.stored(); got != 1 {
		t.Errorf("Observe(logout) of an operator stored %d entries, want 1", got)
	}
}

func TestSearch(t *testing.T) {
	f := newFixture(t, audit.Options{Retention: 24 * time.Hour})
	for i := range 30 {
		f.now = start.Add(time.Duration(i) * time.Minute)
		f.Observe(t.Context(), login(fmt.Sprintf("u%d", i%3)))
		if i == 4 {
			f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: "u1"})
		}
	}
	for name, c := range map[string]struct {
		query audit.Query
		want  int
	}{
		"all":       {audit.Query{}, 31},
		"pages":     {audit.Query{Limit: 4}, 31},
		"user":      {audit.Query{User: "u1"}, 11},
		"action":    {audit.Query{Action: authcore.EventUnlinked, Limit: 3}, 1},
		"from":      {audit.Query{From: start.Add(25 * time.Minute)}, 5},
		"to":        {audit.Query{To: start.Add(2 * time.Minute)}, 2},
		"user time": {audit.Query{User: "u0", To: start.Add(4 * time.Minute)}, 2},
		"nobody":    {audit.Query{User: "u9"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := f.search(c.query)
			if len(got) != c.want {
				t.Errorf("Search(%+v) = %d entries, want %d", c.query, len(got), c.want)
			}
			if !slices.IsSortedFunc(got, func(a, b audit.Entry) int { return b.Time.Compare(a.Time) }) {
				t.Errorf("Search(%+v) = %+v, want the newest first", c.query, got)
			}
		})
	}
	f.now = start.Add(24*time.Hour + 10*time.Minute + time.Second)
	if got := len(f.search(audit.Query{})); got != 19 {
		t.Errorf("Search() after the retention time of some = %d entries, want 19", got)
	}
}

// A store that is down delays entries and loses none.
func TestOutage(t *testing.T) {
	f := newFixture(t, audit.Options{})
	f.store.set(true)
	f.Observe(t.Context(), authcore.Event{Name: authcore.EventUnlinked, UserID: "u1"})
	f.Observe(t.Context(), login("u1"))
	if _, _, err := f.Search(t.Context(), audit.Query{}, ""); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Search() without a store = %v, want ErrUnavailable", err)
	}
	if !strings.Contains(f.log.String(), "writing the audit trail failed") {
		t.Errorf("log = %s, want the failure", f.log.String())
	}
	f.store.set(false)
	if got := f.search(audit.Query{}); len(got) != 2 || f.dropped != 0 {
		t.Errorf("Search() after the outage = %+v and %d dropped, want 2 entries", got, f.dropped)
	}
}

// A reload waits until the collected entries are stored; later ones do not wait for Run.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, audit.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Run(ctx) })
		f.Observe(t.Context(), login("u1"))
		<-time.After(audit.FlushInterval)
		synctest.Wait()
		if got := f.stored(); got != 1 {
			t.Errorf("after FlushInterval %d entries are stored, want 1", got)
		}
		f.Observe(t.Context(), login("u2"))
		f.Observe(t.Context(), failed("link"))
		f.Observe(t.Context(), failed("link"))
		cancel()
		running.Wait()
		if got := f.stored(); got != 4 {
			t.Errorf("after the end of Run %d entries are stored, want 4", got)
		}
		f.Observe(t.Context(), login("u3"))
		f.Observe(t.Context(), failed("link"))
		if got := f.stored(); got != 6 {
			t.Errorf("after events that follow Run %d entries are stored, want 6", got)
		}
	})
}

// An entry that is left when the process ends is counted, and its line is in the log.
func TestRunWithoutStore(t *testing.T) {
	f := newFixture(t, audit.Options{})
	f.store.set(true)
	f.Observe(t.Context(), login("u1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx)
	if f.dropped != 1 || !strings.Contains(f.log.String(), "action=login") || !strings.Contains(f.log.String(), "user_id=u1") {
		t.Errorf("dropped = %d, log = %s, want 1 and the line of the entry", f.dropped, f.log.String())
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ ip, network, address string }{
		{"192.0.2.77", "192.0.2.0/24", "192.0.2.77"},
		{"::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.77"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48", "2001:db8:1:2:3:4:5:6"},
		{"fe80::1%eth0", "fe80::/48", "fe80::1"},
	} {
		for addresses, want := range map[bool]string{false: c.network, true: c.address} {
			f := newFixture(t, audit.Options{Addresses: addresses})
			f.Observe(authcore.WithClientIP(t.Context(), netip.MustParseAddr(c.ip)), login("u1"))
			if got := f.search(audit.Query{})[0].IP; got != want {
				t.Errorf("entry of a client at %s, addresses %t = %q, want %q", c.ip, addresses, got, want)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for retention, valid := range map[time.Duration]bool{
		0: true, time.Hour: true, time.Minute: false, -time.Hour: false, audit.MaxRetention: true, audit.MaxRetention + 1: false,
	} {
		options := audit.Options{Retention: retention}
		if err := options.Validate(); (err == nil) != valid {
			t.Errorf("Validate() of retention %s = %v, want valid %t", retention, err, valid)
		}
	}
}

// RecordKind finds the entries about a user, and its fields are those of an Entry without
// those that name operators.
func TestRecordKind(t *testing.T) {
	f := newFixture(t, audit.Options{})
	f.Observe(t.Context(), login("u1"))
	f.Observe(t.Context(), login("u2"))
	f.search(audit.Query{})
	kind := audit.RecordKind()
	filter := authcore.RecordFilter{Kind: kind.Kind, Owner: kind.Owner(authcore.User{ID: "u1"})}
	if records, err := authcore.AllRecords(t.Context(), f.store, filter, f.now); err != nil || len(records) != 1 {
		t.Errorf("AllRecords(%+v) = %+v, %v, want the entry about u1", filter, records, err)
	}
	left := []string{"id", "time", "realm", "actor_id", "via", "user"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[audit.Entry]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if slices.Contains(kind.Fields, name) == slices.Contains(left, name) {
			t.Errorf("the export contains %s = %v, want it exported or listed here", name, slices.Contains(kind.Fields, name))
		}
	}
}
