package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// FlushInterval is the time for which frequent entries are collected. A node that
	// is killed loses these.
	FlushInterval = 100 * time.Millisecond
	// failureWindow is the time for which equal failures are counted in one entry.
	failureWindow = time.Minute
	// maxFailures limits the different failures of one window, and with them the
	// entries that requests without a login cause.
	maxFailures = 30
	// maxPending limits the frequent entries that wait for the store, and twice as many
	// of all kinds. Further ones are counted and dropped.
	maxPending = 10_000
	// batch limits the entries of one step of the store.
	batch = 250
	// writeTimeout limits a write that a caller waits for.
	writeTimeout = 5 * time.Second
)

// The default and the limits of Options.Retention.
const (
	DefaultRetention = 90 * 24 * time.Hour
	MinRetention     = time.Hour
	MaxRetention     = 10 * 365 * 24 * time.Hour
)

// Store contains the methods of authcore.Store that a Trail uses.
type Store interface {
	authcore.RecordLister
	Import(ctx context.Context, items []authcore.Item) (int, error)
}

// Options select what a Trail records.
type Options struct {
	// Retention is the time for which entries are kept. Default: DefaultRetention.
	Retention time.Duration
	// Addresses records the network addresses of clients instead of their networks.
	Addresses bool
	// Emails records e-mail addresses.
	Emails bool
}

// Validate sets the default and returns a fault of the options.
func (o *Options) Validate() error {
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Retention < MinRetention || o.Retention > MaxRetention {
		return fmt.Errorf("audit: retention: %s is out of range; use %s to %s", o.Retention, MinRetention, MaxRetention)
	}
	return nil
}

// Config configures a Trail. Store and Logger are required.
type Config struct {
	Options
	Store Store
	// Realm is the name of the realm.
	Realm string
	// Outbox returns further items of the step that stores an entry; optional.
	Outbox func(Entry) []authcore.Item
	// Logger receives a line for each entry, and failures.
	Logger *slog.Logger
	// Dropped receives the number of entries that were not stored, because the store
	// was down for long. Default: they are only logged.
	Dropped func(int)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Trail writes and searches entries. Its methods are safe for concurrent use.
type Trail struct {
	cfg Config
	// writing contains a value while a call writes to the store.
	writing chan struct{}

	mutex   sync.Mutex
	pending []Entry
	// last is the time of the newest entry.
	last    time.Time
	dropped int
	// failures counts the repetitions of the entries of the window that began at
	// window.
	failures map[Entry]int
	window   time.Time
	// ended is set when Run ends. From then on no entry waits for it.
	ended bool
}

// New returns a Trail. The options are those of a Validate without an error.
func New(cfg Config) *Trail {
	if cfg.Dropped == nil {
		cfg.Dropped = func(int) {}
	}
	if cfg.Outbox == nil {
		cfg.Outbox = func(Entry) []authcore.Item { return nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Trail{cfg: cfg, failures: map[Entry]int{}, writing: make(chan struct{}, 1)}
}

// now returns the time without its monotonic part.
func (t *Trail) now() time.Time { return t.cfg.Now().Round(0).UTC() }

// Observe records an event. Unless the event is a frequent one, it is in the store when
// Observe returns. If the store fails, the entry is written later, like all others.
func (t *Trail) Observe(ctx context.Context, event authcore.Event) {
	if event.Name == authcore.EventRefresh {
		return // it is frequent, and changes nothing about an account
	}
	if !t.add(ctx, t.entryOf(ctx, event)) {
		return
	}
	// The action has been performed, whatever happens to its request.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := t.Flush(bounded); err != nil {
		t.cfg.Logger.ErrorContext(ctx, "writing the audit trail failed; retrying", "error", err)
	}
}

// isFrequent reports whether an entry may wait for others. Entries of operators and of
// changes of accounts do not wait.
func (e *Entry) isFrequent() bool {
	switch e.Action { //nolint:exhaustive // new events are written immediately
	case authcore.EventLogin, authcore.EventSignup, authcore.EventLoginFailed, authcore.EventLogout,
		authcore.EventLinkRequested, authcore.EventFactorAsked, authcore.EventFactorProven, authcore.EventFactorFailed,
		authcore.EventRolesChanged:
		return e.Actor != ActorOperator
	}
	return false
}

// add records an entry and reports whether the caller has to write it.
func (t *Trail) add(ctx context.Context, entry Entry) (immediately bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if entry.Actor == ActorClient && entry.User == "" && !t.ended {
		t.count(ctx, entry)
		return false
	}
	t.append(ctx, entry)
	return t.ended || !entry.isFrequent()
}

// count counts a failure. The first of equal ones is recorded immediately. The caller
// holds the mutex.
func (t *Trail) count(ctx context.Context, entry Entry) {
	t.closeWindow(ctx, false)
	_, repeated := t.failures[entry]
	if !repeated && len(t.failures) >= maxFailures {
		entry = Entry{Realm: entry.Realm, Action: entry.Action, Outcome: entry.Outcome, Actor: entry.Actor, Code: entry.Code} // there are few of these
		_, repeated = t.failures[entry]
	}
	if repeated {
		t.failures[entry]++
		return
	}
	t.failures[entry] = 0
	t.append(ctx, entry)
}

// closeWindow records the repetitions of a window that has ended. The caller holds the
// mutex.
func (t *Trail) closeWindow(ctx context.Context, now bool) {
	if !now && t.now().Sub(t.window).Abs() < failureWindow {
		return
	}
	for entry, count := range t.failures {
		if count > 0 {
			entry.Count = count
			t.append(ctx, entry)
		}
	}
	clear(t.failures)
	t.window = t.now()
}

// append completes, logs and queues an entry. The caller holds the mutex.
func (t *Trail) append(ctx context.Context, entry Entry) {
	entry.ID, entry.Time = authcore.RandomID(), t.timestamp()
	t.log(ctx, entry)
	limit := maxPending
	if !entry.isFrequent() {
		limit *= 2
	}
	if len(t.pending) >= limit {
		t.dropped++
		return
	}
	t.pending = append(t.pending, entry)
}

// timestamp returns the time of the next entry. Engines store microseconds and order
// records by them, so that two entries of a node never have the same one. The caller holds
// the mutex.
func (t *Trail) timestamp() time.Time {
	at := t.now().Truncate(time.Microsecond)
	if ahead := t.last.Sub(at); ahead >= 0 && ahead < time.Second { // otherwise the clock was set back
		at = t.last.Add(time.Microsecond)
	}
	t.last = at
	return at
}

// log writes an entry as a log line.
func (t *Trail) log(ctx context.Context, entry Entry) {
	attributes := []slog.Attr{slog.String("action", string(entry.Action))}
	for _, attribute := range []slog.Attr{
		slog.String("realm", entry.Realm), slog.String("outcome", entry.Outcome), slog.String("actor", string(entry.Actor)),
		slog.String("actor_id", entry.ActorID), slog.String("via", string(entry.Via)), slog.String("user_id", entry.User),
		slog.String("session_id", entry.Session), slog.String("method", entry.Method), slog.String("client", entry.Client),
		slog.String("code", string(entry.Code)), slog.String("ip", entry.IP), slog.String("email", entry.Email),
		slog.String("detail", entry.Detail), slog.String("id", entry.ID),
	} {
		if attribute.Value.String() != "" {
			attributes = append(attributes, attribute)
		}
	}
	if entry.Count > 0 {
		attributes = append(attributes, slog.Int("count", entry.Count))
	}
	t.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "audit", attributes...)
}

// Flush writes what was recorded. What could not be written is kept.
func (t *Trail) Flush(ctx context.Context) error {
	select {
	case t.writing <- struct{}{}:
		defer func() { <-t.writing }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", authcore.ErrUnavailable, ctx.Err())
	}
	for {
		part := t.next(ctx)
		if len(part) == 0 {
			return nil
		}
		if err := t.write(ctx, part); err != nil {
			return err
		}
		t.mutex.Lock()
		t.pending = slices.Delete(t.pending, 0, len(part))
		t.mutex.Unlock()
	}
}

// next returns the entries of the next step, the oldest first, and reports dropped ones.
func (t *Trail) next(ctx context.Context) []Entry {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closeWindow(ctx, false)
	t.reportDropped(ctx)
	return slices.Clone(t.pending[:min(batch, len(t.pending))])
}

// reportDropped reports entries that were dropped. The caller holds the mutex.
func (t *Trail) reportDropped(ctx context.Context) {
	if t.dropped > 0 {
		t.cfg.Logger.ErrorContext(ctx, "audit entries were not stored", "count", t.dropped)
		t.cfg.Dropped(t.dropped)
		t.dropped = 0
	}
}

// write stores entries as one step. The caller holds writing.
func (t *Trail) write(ctx context.Context, entries []Entry) error {
	items := make([]authcore.Item, 0, len(entries))
	for _, entry := range entries {
		record, err := entry.record(t.cfg.Retention)
		if err != nil { // it would block all later ones
			t.mutex.Lock()
			t.dropped++
			t.mutex.Unlock()
			continue
		}
		items = append(append(items, authcore.Item{Record: &record}), t.cfg.Outbox(entry)...)
	}
	if len(items) == 0 {
		return nil
	}
	_, err := t.cfg.Store.Import(ctx, items)
	return err
}

// Run writes entries until ctx ends, and then the remaining ones.
func (t *Trail) Run(ctx context.Context) {
	ticker := time.NewTicker(FlushInterval)
	defer ticker.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			t.finish(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
		}
		bounded, cancel := context.WithTimeout(ctx, writeTimeout)
		err := t.Flush(bounded)
		cancel()
		if err != nil && !failing && !errors.Is(ctx.Err(), context.Canceled) {
			t.cfg.Logger.ErrorContext(ctx, "writing the audit trail failed; retrying", "error", err)
		}
		failing = err != nil
	}
}

// finish writes what is left, including the counts of the open window.
func (t *Trail) finish(ctx context.Context) {
	t.mutex.Lock()
	t.closeWindow(ctx, true)
	t.ended = true
	t.mutex.Unlock()
	bounded, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := t.Flush(bounded)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.dropped += len(t.pending)
	t.pending = nil
	t.reportDropped(ctx)
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "writing the audit trail failed", "error", err)
	}
}
