package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/edgeauth/edgeauth/authcore"
)

// storeOperation is a method of a store, as a label of metrics and in spans.
type storeOperation string

// The operations that are measured. WatchRevocations is not: it lasts.
const (
	opUser             storeOperation = "user"
	opAccount          storeOperation = "account"
	opLogin            storeOperation = "login"
	opUpdateAccount    storeOperation = "update_account"
	opDeleteUser       storeOperation = "delete_user"
	opUsers            storeOperation = "users"
	opMarkSeen         storeOperation = "mark_seen"
	opPutRecord        storeOperation = "put_record"
	opRecord           storeOperation = "record"
	opTakeRecord       storeOperation = "take_record"
	opUpdateRecord     storeOperation = "update_record"
	opListRecords      storeOperation = "list_records"
	opDeleteRecord     storeOperation = "delete_record"
	opRevocationsSince storeOperation = "revocations_since"
	opUpdateKeys       storeOperation = "update_keys"
	opCount            storeOperation = "count"
	opExport           storeOperation = "export"
	opImport           storeOperation = "import"
	opSweep            storeOperation = "sweep"
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
	operation storeOperation
	begun     time.Time
	// span is nil unless the caller has one that is recorded.
	span trace.Span
}

func (s *observedStore) begin(ctx context.Context, operation storeOperation) (context.Context, storeCall) {
	call := storeCall{store: s, operation: operation, begun: time.Now()}
	if parent := recording(ctx); parent != nil {
		ctx, call.span = child(ctx, parent, appName+".store."+string(operation), trace.SpanKindClient,
			attrRealm.String(s.realm), attrEngine.String(s.engine), attrOperation.String(string(operation)))
	}
	return ctx, call
}

func (c storeCall) end(ctx context.Context, err error) {
	observe(ctx, c.store.durations.WithLabelValues(c.store.realm, string(c.operation)), time.Since(c.begun).Seconds())
	if c.span == nil {
		return
	}
	switch {
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
func (s *observedStore) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	ctx, call := s.begin(ctx, opUser)
	result, err := s.Store.User(ctx, ref)
	call.end(ctx, err)
	return result, err
}

// Account implements [authcore.Store].
func (s *observedStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	ctx, call := s.begin(ctx, opAccount)
	result, err := s.Store.Account(ctx, ref, now)
	call.end(ctx, err)
	return result, err
}

// Login implements [authcore.Store].
func (s *observedStore) Login(ctx context.Context, step authcore.LoginStep) (authcore.Account, error) {
	ctx, call := s.begin(ctx, opLogin)
	result, err := s.Store.Login(ctx, step)
	call.end(ctx, err)
	return result, err
}

// UpdateAccount implements [authcore.Store].
func (s *observedStore) UpdateAccount(ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	ctx, call := s.begin(ctx, opUpdateAccount)
	result, err := s.Store.UpdateAccount(ctx, userID, now, change)
	call.end(ctx, err)
	return result, err
}

// DeleteUser implements [authcore.Store].
func (s *observedStore) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) error {
	ctx, call := s.begin(ctx, opDeleteUser)
	err := s.Store.DeleteUser(ctx, userID, revocation)
	call.end(ctx, err)
	return err
}

// Users implements [authcore.Store].
func (s *observedStore) Users(ctx context.Context, filter authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	ctx, call := s.begin(ctx, opUsers)
	result, next, err := s.Store.Users(ctx, filter, cursor)
	call.end(ctx, err)
	return result, next, err
}

// MarkSeen implements [authcore.Store].
func (s *observedStore) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	ctx, call := s.begin(ctx, opMarkSeen)
	err := s.Store.MarkSeen(ctx, seen)
	call.end(ctx, err)
	return err
}

// PutRecord implements [authcore.Store].
func (s *observedStore) PutRecord(ctx context.Context, record authcore.Record, options authcore.PutOptions) error {
	ctx, call := s.begin(ctx, opPutRecord)
	err := s.Store.PutRecord(ctx, record, options)
	call.end(ctx, err)
	return err
}

// Record implements [authcore.Store].
func (s *observedStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	ctx, call := s.begin(ctx, opRecord)
	result, err := s.Store.Record(ctx, key, now)
	call.end(ctx, err)
	return result, err
}

// TakeRecord implements [authcore.Store].
func (s *observedStore) TakeRecord(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	ctx, call := s.begin(ctx, opTakeRecord)
	result, err := s.Store.TakeRecord(ctx, key, now)
	call.end(ctx, err)
	return result, err
}

// UpdateRecord implements [authcore.Store].
func (s *observedStore) UpdateRecord(ctx context.Context, key authcore.RecordKey, now time.Time, change func(*authcore.Record) error) (authcore.Record, error) {
	ctx, call := s.begin(ctx, opUpdateRecord)
	result, err := s.Store.UpdateRecord(ctx, key, now, change)
	call.end(ctx, err)
	return result, err
}

// ListRecords implements [authcore.Store].
func (s *observedStore) ListRecords(ctx context.Context, filter authcore.RecordFilter, now time.Time, cursor string) ([]authcore.Record, string, error) {
	ctx, call := s.begin(ctx, opListRecords)
	result, next, err := s.Store.ListRecords(ctx, filter, now, cursor)
	call.end(ctx, err)
	return result, next, err
}

// DeleteRecord implements [authcore.Store].
func (s *observedStore) DeleteRecord(ctx context.Context, key authcore.RecordKey) error {
	ctx, call := s.begin(ctx, opDeleteRecord)
	err := s.Store.DeleteRecord(ctx, key)
	call.end(ctx, err)
	return err
}

// RevocationsSince implements [authcore.Store].
func (s *observedStore) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	ctx, call := s.begin(ctx, opRevocationsSince)
	result, next, err := s.Store.RevocationsSince(ctx, cursor)
	call.end(ctx, err)
	return result, next, err
}

// UpdateKeys implements [authcore.Store].
func (s *observedStore) UpdateKeys(ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error)) ([]authcore.SigningKey, error) {
	ctx, call := s.begin(ctx, opUpdateKeys)
	result, err := s.Store.UpdateKeys(ctx, change)
	call.end(ctx, err)
	return result, err
}

// Count implements [authcore.Store].
func (s *observedStore) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	ctx, call := s.begin(ctx, opCount)
	result, err := s.Store.Count(ctx, now, counters)
	call.end(ctx, err)
	return result, err
}

// Export implements [authcore.Store].
func (s *observedStore) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	ctx, call := s.begin(ctx, opExport)
	result, next, err := s.Store.Export(ctx, cursor, now)
	call.end(ctx, err)
	return result, next, err
}

// Import implements [authcore.Store].
func (s *observedStore) Import(ctx context.Context, items []authcore.Item) (int, error) {
	ctx, call := s.begin(ctx, opImport)
	result, err := s.Store.Import(ctx, items)
	call.end(ctx, err)
	return result, err
}

// Sweep implements [authcore.Store].
func (s *observedStore) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	ctx, call := s.begin(ctx, opSweep)
	result, err := s.Store.Sweep(ctx, now)
	call.end(ctx, err)
	return result, err
}

var _ authcore.Store = (*observedStore)(nil)
