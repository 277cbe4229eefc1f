package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func recordChecks() []check {
	return []check{
		{"PutReplacesAndDeletes", putRecords},
		{"IfAbsent", putIfAbsent},
		{"Keep", keepRecords},
		{"OwnedByUser", ownedByUser},
		{"Expiry", expiringRecords},
		{"Update", updateRecords},
		{"List", listRecords},
		{"ListOfChanges", listChanges},
		{"KeysAreExact", recordKeys},
		{"Bounds", recordBounds},
		{"BinaryData", binaryRecords},
		{"Races/Take", func(t *testing.T, store authcore.Store) {
			record := newRecord("key", "ada")
			put(t, store, record)
			wantOneWinner(t, authcore.ErrNotFound, func(int) error {
				return drop(store.TakeRecord(t.Context(), record.RecordKey, start))
			})
		}},
		{"Races/IfAbsent", func(t *testing.T, store authcore.Store) {
			wantOneWinner(t, authcore.ErrExists, func(i int) error {
				record := newRecord("key", fmt.Sprint(i))
				return store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start, IfAbsent: true})
			})
		}},
		{"Races/Update", updateRecordRace},
		{"Races/Keep", func(t *testing.T, store authcore.Store) {
			together(few, func(i int) {
				record := newRecord(fmt.Sprint(i), "ada")
				record.Created = at(time.Duration(i) * time.Second)
				err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start, Keep: 3})
				wantErr(t, "PutRecord", err, nil)
			})
			records, err := recordsOf(t, store, "link", "ada", start)
			if err != nil || len(records) != 3 || records[0].Key != fmt.Sprint(few-1) {
				t.Errorf("ListRecords = %s, error %v, want 3 with the newest", plain(records), err)
			}
		}},
	}
}

func putRecords(t *testing.T, store authcore.Store) {
	record := newRecord("key", "ada")
	record.Created, record.Expires = time.Unix(0, 0), farAway
	put(t, store, record)
	sweep(t, store, farAway.Add(-time.Second))
	wantRecord(t, store, record)
	record.Owner, record.Data, record.Created, record.Expires = "grace", []byte("new"), at(time.Minute), time.Time{}
	put(t, store, record)
	wantRecord(t, store, record)
	wantRecordsOf(t, store, "link", "ada")
	wantRecordsOf(t, store, "link", "grace", "key")
	record.Owner = ""
	put(t, store, record)
	wantRecordsOf(t, store, "link", "grace")
	got, err := store.TakeRecord(t.Context(), record.RecordKey, at(100*365*day)) // without an end
	wantErr(t, "TakeRecord", err, nil)
	wantSame(t, "TakeRecord", got, record)
	wantNoRecord(t, store, record.RecordKey)

	record.Owner = "ada"
	put(t, store, record, newRecord("other", "ada"))
	for range 2 {
		wantErr(t, "DeleteRecord", store.DeleteRecord(t.Context(), record.RecordKey), nil)
	}
	wantNoRecord(t, store, record.RecordKey)
	wantRecordsOf(t, store, "link", "ada", "other")
}

func putIfAbsent(t *testing.T, store authcore.Store) {
	record, changed, sibling := newRecord("key", "ada"), newRecord("key", "ada"), newRecord("sibling", "ada")
	changed.Data, changed.Expires = []byte("changed"), at(time.Hour)
	put(t, store, sibling)
	options := authcore.PutOptions{Now: start, IfAbsent: true}
	wantErr(t, "PutRecord of an absent record", store.PutRecord(t.Context(), record, options), nil)
	options.Keep = 1
	wantErr(t, "PutRecord of a live record", store.PutRecord(t.Context(), changed, options), authcore.ErrExists)
	wantRecord(t, store, record)
	wantRecord(t, store, sibling) // Keep had no effect

	options = authcore.PutOptions{Now: record.Expires, IfAbsent: true} // expired for the node
	wantErr(t, "PutRecord of an expired record", store.PutRecord(t.Context(), changed, options), nil)
	wantRecord(t, store, changed)
	expired := newRecord("expired", "")
	expired.Expires = at(-time.Millisecond)
	put(t, store, expired)
	expired.Expires, options.Now = at(time.Hour), start // expired for the engine
	wantErr(t, "PutRecord of an expired record", store.PutRecord(t.Context(), expired, options), nil)
	wantRecord(t, store, expired)
}

func keepRecords(t *testing.T, store authcore.Store) {
	numbered := func(i int) authcore.Record {
		record := newRecord(fmt.Sprint(i), "ada")
		record.Created = at(time.Duration(i) * time.Second)
		return record
	}
	kind, owner := numbered(0), numbered(0)
	kind.Kind, owner.Owner, owner.Key = "code", "grace", "other"
	put(t, store, kind, owner, numbered(1), numbered(2), numbered(3))
	for _, test := range []struct {
		put, keep int
		want      string
	}{
		{4, 3, "4 3 2"},
		{5, 3, "5 4 3"},
		{4, 3, "5 4 3"}, // a replacement
		{0, 3, "5 4 0"}, // the stored record stays, though it is old
		{6, 1, "6"},
		{7, 5, "7 6"},
	} {
		err := store.PutRecord(t.Context(), numbered(test.put), authcore.PutOptions{Now: start, Keep: test.keep})
		wantErr(t, "PutRecord", err, nil)
		wantRecordsOf(t, store, "link", "ada", strings.Fields(test.want)...)
	}
	wantRecord(t, store, kind)
	wantRecord(t, store, owner)
	for i := range 5 {
		wantNoRecord(t, store, numbered(i+1).RecordKey)
	}
}

func ownedByUser(t *testing.T, store authcore.Store) {
	account, options := signUpNamed(t, store, "ada"), authcore.PutOptions{Now: start, OwnedByUser: true}
	owned, orphan, unowned := newRecord("1", account.User.ID), newRecord("2", uuid()), newRecord("3", "")
	wantErr(t, "PutRecord of a user", store.PutRecord(t.Context(), owned, options), nil)
	wantRecordsOf(t, store, "link", owned.Owner, "1")
	for _, record := range []authcore.Record{orphan, unowned} {
		wantErr(t, "PutRecord without a user", store.PutRecord(t.Context(), record, options), authcore.ErrNotFound)
		wantNoRecord(t, store, record.RecordKey)
	}
}

func expiringRecords(t *testing.T, store authcore.Store) {
	record, forever := newRecord("1", "ada"), newRecord("2", "ada")
	forever.Expires = time.Time{}
	put(t, store, record, forever)
	for _, test := range []struct {
		now  time.Time
		n    int
		want error
	}{{record.Expires.Add(-time.Millisecond), 2, nil}, {record.Expires, 1, authcore.ErrNotFound}} {
		put(t, store, record)
		wantErr(t, "Record at its end", drop(store.Record(t.Context(), record.RecordKey, test.now)), test.want)
		records, err := recordsOf(t, store, "link", "ada", test.now)
		if err != nil || len(records) != test.n {
			t.Errorf("ListRecords at the end = %s, error %v, want %d", plain(records), err, test.n)
		}
		wantErr(t, "TakeRecord at its end", drop(store.TakeRecord(t.Context(), record.RecordKey, test.now)), test.want)
	}
}

func updateRecords(t *testing.T, store authcore.Store) {
	record := newRecord("key", "ada")
	put(t, store, record)
	change := func(now time.Time, change func(*authcore.Record) error) (authcore.Record, error) {
		return store.UpdateRecord(t.Context(), record.RecordKey, now, change)
	}
	got, err := change(start, func(r *authcore.Record) error {
		wantSame(t, "record to change", *r, record)
		r.Data, r.Expires = append(r.Data, "!"...), at(time.Hour)
		r.Owner, r.Created = "grace", at(time.Hour) // without effect
		return nil
	})
	record.Data, record.Expires = append(record.Data, '!'), at(time.Hour)
	wantErr(t, "UpdateRecord", err, nil)
	wantSame(t, "UpdateRecord", got, record)
	wantRecord(t, store, record)
	wantRecordsOf(t, store, "link", "ada", "key")
	wantRecordsOf(t, store, "link", "grace")

	_, err = change(start, func(r *authcore.Record) error {
		r.Data = nil
		return errRefused
	})
	wantRefused(t, "UpdateRecord", err)
	_, err = change(start, func(r *authcore.Record) error {
		r.Data = make([]byte, 16<<10+1)
		return nil
	})
	wantRefusal(t, "UpdateRecord with too much data", err)
	wantRecord(t, store, record)
	for _, expire := range []func(*authcore.Record) error{
		func(r *authcore.Record) error { r.Expires = start; return nil },
		func(*authcore.Record) error { t.Error("change was called for an expired record"); return nil },
	} {
		_, err = change(start, expire)
		wantNoRecord(t, store, record.RecordKey)
	}
	wantErr(t, "UpdateRecord of an expired record", err, authcore.ErrNotFound)
}

// wantRefusal checks the error of an invalid argument.
func wantRefusal(t *testing.T, call string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrExists) {
		t.Errorf("%s = error %v, want a refusal", call, err)
	}
}

// updateRecordRace: no update is lost, and a record that was taken does not return.
func updateRecordRace(t *testing.T, store authcore.Store) {
	record := newRecord("key", "ada")
	record.Data = nil
	put(t, store, record)
	add := func(key authcore.RecordKey) error {
		return drop(store.UpdateRecord(t.Context(), key, start, func(r *authcore.Record) error {
			r.Data = append(r.Data, 'x')
			return nil
		}))
	}
	together(few, func(int) { wantErr(t, "UpdateRecord", add(record.RecordKey), nil) })
	record.Data = bytes.Repeat([]byte{'x'}, few)
	wantRecord(t, store, record)
	for i := range few {
		record := newRecord(fmt.Sprint(i), "other")
		put(t, store, record)
		together(2, func(i int) {
			if i == 0 {
				wantErr(t, "TakeRecord", drop(store.TakeRecord(t.Context(), record.RecordKey, start)), nil)
			} else if err := add(record.RecordKey); err != nil {
				wantErr(t, "UpdateRecord", err, authcore.ErrNotFound)
			}
		})
	}
	wantRecordsOf(t, store, "link", "other")
}
