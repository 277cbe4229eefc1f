package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/edgeauth/edgeauth/authcore"
)

// observedStore measures the calls of a store, and gives those of a request with a span
// a span of their own. Arguments and results are not looked at, except for the class of
// an error.
type observedStore struct {
	authcore.Store
	realm, engine string
	durations     *prometheus.HistogramVec
}

// observed returns the store with measurements.
func (r *Realm) observed(store authcore.Store) authcore.Store {
	return &observedStore{Store: store, realm: r.name, engine: moduleName(r.storage), durations: r.metrics.stored}
}

// storeCall is a call of a store that has begun.
type storeCall struct {
	store     *observedStore
	operation string
	begun     time.Time
	// span is nil unless the caller has one that is recorded.
	span trace.Span
}

// begin begins a call and adds its span to the context. The operation names the method in
// metrics and spans. WatchRevocations is not measured: it lasts.
func (s *observedStore) begin(ctx context.Context, operation string) (context.Context, storeCall) {
	call := storeCall{store: s, operation: operation, begun: time.Now()}
	if parent := recording(ctx); parent != nil {
		ctx, call.span = child(ctx, parent, appName+".store."+operation, trace.SpanKindClient,
			attrRealm.String(s.realm), attrEngine.String(s.engine), attrOperation.String(operation))
	}
	return ctx, call
}

// end ends a call with the error to which cause points.
func (c storeCall) end(ctx context.Context, cause *error) {
	observe(ctx, c.store.durations.WithLabelValues(c.store.realm, c.operation), time.Since(c.begun).Seconds())
	if c.span == nil {
		return
	}
	switch err := *cause; {
	case err == nil:
	case errors.Is(err, authcore.ErrUnavailable):
		fail(c.span, "unavailable")
	case errors.Is(err, authcore.ErrNotFound):
		c.span.SetAttributes(attrError.String("not_found"))
	case errors.Is(err, authcore.ErrExists):
		c.span.SetAttributes(attrError.String("exists"))
	case errors.Is(err, authcore.ErrTaken):
		c.span.SetAttributes(attrError.String("taken"))
	default: // of a callback: a refusal
		c.span.SetAttributes(attrError.String("refused"))
	}
	c.span.End()
}

// User implements [authcore.Store].
func (s *observedStore) User(ctx context.Context, ref authcore.UserRef) (_ authcore.User, err error) {
	ctx, call := s.begin(ctx, "user")
	defer call.end(ctx, &err)
	return s.Store.User(ctx, ref)
}

// Account implements [authcore.Store].
func (s *observedStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (_ authcore.Account, err error) {
	ctx, call := s.begin(ctx, "account")
	defer call.end(ctx, &err)
	return s.Store.Account(ctx, ref, now)
}

// Login implements [authcore.Store].
func (s *observedStore) Login(ctx context.Context, step authcore.LoginStep) (_ authcore.Account, err error) {
	ctx, call := s.begin(ctx, "login")
	defer call.end(ctx, &err)
	return s.Store.Login(ctx, step)
}

// UpdateAccount implements [authcore.Store].
func (s *observedStore) UpdateAccount(ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error) (_ authcore.Account, err error) {
	ctx, call := s.begin(ctx, "update_account")
	defer call.end(ctx, &err)
	return s.Store.UpdateAccount(ctx, userID, now, change)
}

// DeleteUser implements [authcore.Store].
func (s *observedStore) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) (err error) {
	ctx, call := s.begin(ctx, "delete_user")
	defer call.end(ctx, &err)
	return s.Store.DeleteUser(ctx, userID, revocation)
}

// Users implements [authcore.Store].
func (s *observedStore) Users(ctx context.Context, filter authcore.UserFilter, cursor string) (_ []authcore.User, _ string, err error) {
	ctx, call := s.begin(ctx, "users")
	defer call.end(ctx, &err)
	return s.Store.Users(ctx, filter, cursor)
}

// MarkSeen implements [authcore.Store].
func (s *observedStore) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) (err error) {
	ctx, call := s.begin(ctx, "mark_seen")
	defer call.end(ctx, &err)
	return s.Store.MarkSeen(ctx, seen)
}

// PutRecord implements [authcore.Store].
func (s *observedStore) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) (err error) {
	ctx, call := s.begin(ctx, "put_record")
	defer call.end(ctx, &err)
	return s.Store.PutRecord(ctx, record, options)
}

// Record implements [authcore.Store].
func (s *observedStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (_ authcore.Record, err error) {
	ctx, call := s.begin(ctx, "record")
	defer call.end(ctx, &err)
	return s.Store.Record(ctx, key, now)
}

// TakeRecord implements [authcore.Store].
func (s *observedStore) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (_ authcore.Record, err error) {
	ctx, call := s.begin(ctx, "take_record")
	defer call.end(ctx, &err)
	return s.Store.TakeRecord(ctx, key, now)
}

// UpdateRecord implements [authcore.Store].
func (s *observedStore) UpdateRecord(ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error) (_ authcore.Record, err error) {
	ctx, call := s.begin(ctx, "update_record")
	defer call.end(ctx, &err)
	return s.Store.UpdateRecord(ctx, key, now, change)
}

// ListRecords implements [authcore.Store].
func (s *observedStore) ListRecords(ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string) (_ []authcore.Record, _ string, err error) {
	ctx, call := s.begin(ctx, "list_records")
	defer call.end(ctx, &err)
	return s.Store.ListRecords(ctx, filter, now, cursor)
}

// DeleteRecord implements [authcore.Store].
func (s *observedStore) DeleteRecord(ctx context.Context, key authcore.RecordKey) (err error) {
	ctx, call := s.begin(ctx, "delete_record")
	defer call.end(ctx, &err)
	return s.Store.DeleteRecord(ctx, key)
}

// RevocationsSince implements [authcore.Store].
func (s *observedStore) RevocationsSince(ctx context.Context, cursor string) (_ []authcore.Revocation, _ string, err error) {
	ctx, call := s.begin(ctx, "revocations_since")
	defer call.end(ctx, &err)
	return s.Store.RevocationsSince(ctx, cursor)
}

// UpdateKeys implements [authcore.Store].
func (s *observedStore) UpdateKeys(ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) (_ []authcore.SigningKey, err error) {
	ctx, call := s.begin(ctx, "update_keys")
	defer call.end(ctx, &err)
	return s.Store.UpdateKeys(ctx, change)
}

// Count implements [authcore.Store].
func (s *observedStore) Count(ctx context.Context, now time.Time, counters []authcore.Counter) (_ []authcore.Tally, err error) {
	ctx, call := s.begin(ctx, "count")
	defer call.end(ctx, &err)
	return s.Store.Count(ctx, now, counters)
}

// Export implements [authcore.Store].
func (s *observedStore) Export(ctx context.Context, cursor string, now time.Time) (_ []authcore.Item, _ string, err error) {
	ctx, call := s.begin(ctx, "export")
	defer call.end(ctx, &err)
	return s.Store.Export(ctx, cursor, now)
}

// Import implements [authcore.Store].
func (s *observedStore) Import(ctx context.Context, items []authcore.Item) (_ int, err error) {
	ctx, call := s.begin(ctx, "import")
	defer call.end(ctx, &err)
	return s.Store.Import(ctx, items)
}

// Sweep implements [authcore.Store].
func (s *observedStore) Sweep(ctx context.Context, now time.Time) (_ authcore.Swept, err error) {
	ctx, call := s.begin(ctx, "sweep")
	defer call.end(ctx, &err)
	return s.Store.Sweep(ctx, now)
}

var _ authcore.Store = (*observedStore)(nil)
