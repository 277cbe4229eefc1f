package storagetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// wantErr checks the class of an error; nil asks for success.
func wantErr(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", call, err, want)
	}
}

// wantRefused checks that a call returned the error of its callback unwrapped.
func wantRefused(t *testing.T, call string, err error) {
	t.Helper()
	if err != errRefused { //nolint:errorlint // unchanged means unwrapped
		t.Errorf("%s = error %v, want %v itself", call, err, errRefused)
	}
}

// wantSame compares two values. Times are equal if they are the same instant, and
// an empty slice equals nil.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := plain(got), plain(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// wantAccount checks a whole account, by ID. Revocations are left out.
func wantAccount(t *testing.T, store authcore.Store, now time.Time, want authcore.Account) {
	t.Helper()
	got, err := store.Account(t.Context(), byID(want.User.ID), now)
	wantErr(t, "Account", err, nil)
	want.Revocations = nil
	authcore.SortAccount(&want)
	wantSame(t, "Account", got, want)
}

// wantNoUser checks that a reference selects no user.
func wantNoUser(t *testing.T, store authcore.Store, ref authcore.UserRef) {
	t.Helper()
	user, err := store.User(t.Context(), ref)
	if !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("User(%+v) = %s, error %v, want %v", ref, plain(user), err, authcore.ErrNotFound)
	}
}

// wantUser checks that a reference selects a user.
func wantUser(t *testing.T, store authcore.Store, ref authcore.UserRef, id string) {
	t.Helper()
	user, err := store.User(t.Context(), ref)
	if err != nil || user.ID != id {
		t.Errorf("User(%+v) = %q, error %v, want %q", ref, user.ID, err, id)
	}
}

// wantRecord checks a record at start.
func wantRecord(t *testing.T, store authcore.Store, want authcore.Record) {
	t.Helper()
	got, err := store.Record(t.Context(), want.RecordKey, start)
	wantErr(t, "Record "+want.Key, err, nil)
	wantSame(t, "Record "+want.Key, got, want)
}

// wantNoRecord checks that a record is absent at start.
func wantNoRecord(t *testing.T, store authcore.Store, key authcore.RecordKey) {
	t.Helper()
	wantErr(t, "Record "+key.Key, drop(store.Record(t.Context(), key, start)), authcore.ErrNotFound)
}

// recordsOf reads all pages of the records of an owner.
func recordsOf(t *testing.T, store authcore.Store, kind, owner string, now time.Time) ([]authcore.Record, error) {
	t.Helper()
	return authcore.AllRecords(t.Context(), store, authcore.RecordFilter{Kind: kind, Owner: owner}, now)
}

// wantRecordsOf checks the keys of the records of an owner.
func wantRecordsOf(t *testing.T, store authcore.Store, kind, owner string, want ...string) {
	t.Helper()
	records, err := recordsOf(t, store, kind, owner, start)
	keys := make([]string, 0, len(records))
	for _, record := range records {
		keys = append(keys, record.Key)
	}
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("ListRecords(%s, %s) = %q, error %v, want %q", kind, owner, keys, err, want)
	}
}

// plain returns a value as text with its times in UTC.
func plain(value any) string {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return "nothing"
	}
	text, err := json.Marshal(normal(v).Interface())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// normal returns a deep copy with times in UTC and nil for empty slices.
func normal(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		instant, _ := v.Interface().(time.Time)
		out.Set(reflect.ValueOf(instant.UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(normal(v.Field(i)))
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(normal(v.Elem()))
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			out.Set(reflect.Append(out, normal(v.Index(i))))
		}
	default:
		out.Set(v)
	}
	return out
}

// wantOneWinner makes racing calls of which one succeeds. All others must fail
// with the given error.
func wantOneWinner(t *testing.T, loser error, call func(i int) error) {
	t.Helper()
	var won atomic.Int64
	together(crowd, func(i int) {
		if err := call(i); err == nil {
			won.Add(1)
		} else {
			wantErr(t, "a call that lost", err, loser)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d of %d callers succeeded, want 1", won.Load(), crowd)
	}
}
