package storagetest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func recordFaults() map[string]fault {
	putWith := func(spoil func(*record, *authcore.PutOptions)) func(*hooked) {
		return func(h *hooked) {
			h.put = func(ctx context.Context, r record, o authcore.PutOptions) error {
				spoil(&r, &o)
				return h.Store.PutRecord(ctx, r, o)
			}
		}
	}
	listWith := func(spoil func(*authcore.RecordFilter, *time.Time)) func(*hooked) {
		return func(h *hooked) {
			h.list = func(ctx context.Context, f authcore.RecordFilter, now time.Time, cursor string) ([]record, string, error) {
				spoil(&f, &now)
				return h.Store.ListRecords(ctx, f, now, cursor)
			}
		}
	}
	return map[string]fault{
		"IfAbsent without effect":    {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.IfAbsent = false })},
		"IfAbsent by another clock":  {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.Now = o.Now.Add(-time.Hour) })},
		"Keep keeps one too many":    {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.Keep = max(0, o.Keep*2-1) })},
		"records without a user":     {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.OwnedByUser = false })},
		"records that live too long": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Expires = r.Expires.Add(1) })},
		"records without an end": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) {
			if r.Expires.IsZero() {
				r.Expires = r.Created.Add(time.Hour)
			}
		})},
		"data as text": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) {
			r.Data = []byte(strings.ToValidUTF8(string(r.Data), "?"))
		})},
		"keys that are cut":      {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Key = strings.TrimSpace(r.Key) })},
		"bounds without a check": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Data = r.Data[:min(len(r.Data), 16<<10)] })},
		"a record is taken twice": {group: "Records", inject: func(h *hooked) {
			var taken sync.Map // by key; the second caller gets the record again
			h.take = func(ctx context.Context, k key, now time.Time) (record, error) {
				r, err := h.Store.TakeRecord(ctx, k, now)
				if err == nil {
					taken.Store(k, r)
				} else if again, ok := taken.LoadAndDelete(k); ok {
					return again.(record), nil
				}
				return r, err
			}
		}},
		"an update revives a record": {group: "Records", inject: func(h *hooked) {
			h.edit = func(ctx context.Context, k key, now time.Time, change func(*record) error) (record, error) {
				r, err := h.Store.Record(ctx, k, now)
				if err == nil {
					err = change(&r)
				}
				if err == nil {
					pause()
					putAll(h, r)
				}
				return r, err
			}
		}},
		"an update changes the owner": {group: "Records", inject: func(h *hooked) {
			h.edit = func(ctx context.Context, k key, now time.Time, change func(*record) error) (record, error) {
				var changed record
				r, err := h.Store.UpdateRecord(ctx, k, now, func(r *record) error {
					err := change(r)
					changed = *r
					return err
				})
				if err == nil {
					putAll(h, changed)
				}
				return r, err
			}
		}},
		"a list of all records":             {group: "Records", inject: listWith(func(_ *authcore.RecordFilter, now *time.Time) { *now = time.Time{} })},
		"a list without an end":             {group: "Records", inject: listWith(func(f *authcore.RecordFilter, _ *time.Time) { f.To = time.Time{} })},
		"a list from the beginning of time": {group: "Records", inject: listWith(func(f *authcore.RecordFilter, _ *time.Time) { f.From = time.Time{} })},
		"a list of any owner":               {group: "Records", inject: listWith(func(f *authcore.RecordFilter, _ *time.Time) { f.Owner = "" })},
		"pages without a bound":             {group: "Records", inject: listWith(func(f *authcore.RecordFilter, _ *time.Time) { f.Limit = 1000 })},
		"pages that end early": {group: "Records", inject: func(h *hooked) {
			h.list = func(ctx context.Context, f authcore.RecordFilter, now time.Time, cursor string) ([]record, string, error) {
				records, _, err := h.Store.ListRecords(ctx, f, now, cursor)
				return records, "", err
			}
		}},
		"the oldest record first": {group: "Records", inject: func(h *hooked) {
			h.list = func(ctx context.Context, f authcore.RecordFilter, now time.Time, cursor string) ([]record, string, error) {
				records, next, err := h.Store.ListRecords(ctx, f, now, cursor)
				slices.Reverse(records)
				return records, next, err
			}
		}},
		"shared data": {group: "Copies", inject: func(h *hooked) {
			kept := make(map[key]record)
			h.put = func(ctx context.Context, r record, o authcore.PutOptions) error {
				kept[r.RecordKey] = r
				return h.Store.PutRecord(ctx, r, o)
			}
			h.record = func(_ context.Context, k key, _ time.Time) (record, error) { return kept[k], nil }
		}},
	}
}
