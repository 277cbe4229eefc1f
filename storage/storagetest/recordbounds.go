package storagetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// listed reads all pages of a listing and checks the bounds of each page.
func listed(t *testing.T, store authcore.Store, filter authcore.RecordFilter, cursor string) []authcore.Record {
	t.Helper()
	var all []authcore.Record
	for range 10_000 {
		records, next, err := store.ListRecords(t.Context(), filter, start, cursor)
		if err != nil || len(records) > filter.PageSize() {
			t.Fatalf("ListRecords(%+v, %q) = %d records, error %v, want at most %d", filter, cursor, len(records), err, filter.PageSize())
		}
		all = append(all, records...)
		if next == "" {
			return all
		}
		cursor = next
	}
	t.Fatalf("ListRecords(%+v) does not end", filter)
	return nil
}

// listRecords lists 2010 records of two owners, one for each second.
func listRecords(t *testing.T, store authcore.Store) {
	const n = 2010
	var items []authcore.Item
	for i := range n {
		record := newRecord(fmt.Sprint(i), []string{"ada", "grace"}[i%2])
		record.Created = at(-time.Duration(i) * time.Second)
		items = append(items, authcore.Item{Record: &record})
	}
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	for part := range slices.Chunk(items, 300) {
		wantImported(t, store, part, len(part))
	}
	for i, kind := range []string{"lin", "link-", "link2"} {
		other := newRecord(fmt.Sprint("other", i), "ada")
		other.Kind = kind
		put(t, store, other)
	}
	for _, owner := range []string{"ad", "ada ", "adam", "ADA"} {
		other := newRecord("of "+owner, owner)
		other.Kind = "other"
		put(t, store, other)
	}
	for _, filter := range []authcore.RecordFilter{
		{},
		{Limit: 7},
		{Limit: 5000},
		{Limit: n},
		{Owner: "ada"},
		{Owner: "ada", Limit: 1005},
		{Owner: "grace", Limit: 1},
		{Owner: "adam"},
		{From: at(-100 * time.Second)},
		{From: at(-100*time.Second + time.Nanosecond), Limit: 10},
		{To: at(-1900 * time.Second)},
		{To: at(-1900*time.Second + time.Nanosecond), Limit: 30},
		{From: at(-500 * time.Second), To: at(-300 * time.Second), Owner: "grace", Limit: 20},
		{From: at(-500 * time.Second), To: at(-300 * time.Second), Limit: 20},
		{From: at(time.Second)},
		{To: at(-time.Hour)},
	} {
		filter.Kind = "link"
		var want, got []string
		for i := range n {
			record := newRecord(fmt.Sprint(i), []string{"ada", "grace"}[i%2])
			record.Created = at(-time.Duration(i) * time.Second)
			if filter.Matches(record) {
				want = append(want, record.Key)
			}
		}
		for _, record := range listed(t, store, filter, "") {
			got = append(got, record.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ListRecords(%+v) = %d records, want %d, the newest first: %.9q", filter, len(got), len(want), got)
		}
	}
	wantRecordsOf(t, store, "lin", "ada", "other0")
	wantRecordsOf(t, store, "li", "")
}

// listChanges: pages continue after a record that was deleted, and neither an
// expired record nor an earlier form of a record is listed.
func listChanges(t *testing.T, store authcore.Store) {
	for i := range 10 {
		record := newRecord(fmt.Sprint(i), "")
		record.Created = at(-time.Duration(i) * time.Second)
		put(t, store, record)
	}
	filter := authcore.RecordFilter{Kind: "link", Limit: 3}
	records, cursor, err := store.ListRecords(t.Context(), filter, start, "")
	if err != nil || len(records) != 3 {
		t.Fatalf("ListRecords = %s, error %v, want 3", plain(records), err)
	}
	wantErr(t, "DeleteRecord", store.DeleteRecord(t.Context(), records[2].RecordKey), nil)
	moved, expired := newRecord("5", "ada"), newRecord("6", "")
	moved.Created, expired.Created, expired.Expires = at(-time.Hour), at(-6*time.Second), at(-time.Second)
	put(t, store, moved, expired)
	want := "3 4 7 8 9 5"
	var keys []string
	for _, record := range listed(t, store, filter, cursor) {
		keys = append(keys, record.Key)
	}
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("ListRecords after changes = %s, want %s", got, want)
	}
	for _, key := range keys {
		wantErr(t, "DeleteRecord", store.DeleteRecord(t.Context(), authcore.RecordKey{Kind: "link", Key: key}), nil)
	}
	if rest := listed(t, store, filter, ""); len(rest) != 2 {
		t.Errorf("ListRecords after deletions = %s, want 2", plain(rest))
	}
	for _, cursor := range []string{"x", "99 9", "-1 x", "!!", "\x00", "9223372036854775807 x", "\xff"} {
		if _, _, err := store.ListRecords(t.Context(), filter, start, cursor); err != nil {
			t.Errorf("ListRecords with cursor %q = error %v, want none", cursor, err)
		}
	}
}

// recordKeys stores records whose keys are equal if a separator is wrong, and one
// for each printable character.
func recordKeys(t *testing.T, store authcore.Store) {
	var records []authcore.Record
	for _, kind := range []string{"a", "a-b", "a-", "a0", strings.Repeat("z", 32)} {
		for _, key := range []string{"b", "-b", "B", "b ", " b", "b/c", "b:c", "b|c", "{b}", "*", "%", "b_", strings.Repeat("~", 128)} {
			record := newRecord(key, kind+" "+key)
			record.Kind, record.Owner = kind, record.Owner[:min(128, len(record.Owner))]
			records = append(records, record)
		}
	}
	for c := byte(' '); c <= '~'; c++ {
		records = append(records, newRecord("key"+string(c), string(c)+"owner"))
	}
	put(t, store, records...)
	for _, record := range records {
		wantRecord(t, store, record)
		wantRecordsOf(t, store, record.Kind, record.Owner, record.Key)
	}
}

func recordBounds(t *testing.T, store authcore.Store) {
	longest := newRecord(strings.Repeat("k", 128), strings.Repeat("o", 128))
	longest.Kind, longest.Data = "a"+strings.Repeat("9", 31), bytes.Repeat([]byte{0xff}, 16<<10)
	put(t, store, longest)
	wantRecord(t, store, longest)
	for name, change := range map[string]func(*authcore.Record){
		"no kind":                 func(r *authcore.Record) { r.Kind = "" },
		"kind in upper case":      func(r *authcore.Record) { r.Kind = "Link" },
		"kind that is too long":   func(r *authcore.Record) { r.Kind = strings.Repeat("k", 33) },
		"no key":                  func(r *authcore.Record) { r.Key = "" },
		"key that is too long":    func(r *authcore.Record) { r.Key = strings.Repeat("k", 129) },
		"key with NUL":            func(r *authcore.Record) { r.Key = "a\x00b" },
		"key that is not ASCII":   func(r *authcore.Record) { r.Key = "é" },
		"owner that is too long":  func(r *authcore.Record) { r.Owner = strings.Repeat("o", 129) },
		"owner with a line break": func(r *authcore.Record) { r.Owner = "a\nb" },
		"too much data":           func(r *authcore.Record) { r.Data = make([]byte, 16<<10+1) },
	} {
		record := newRecord("key", "ada")
		change(&record)
		wantRefusal(t, "PutRecord with "+name, store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start}))
		wantRefusal(t, "Import with "+name, drop(store.Import(t.Context(), []authcore.Item{{Record: &record}})))
		wantRefusal(t, "Login that claims "+name, drop(store.Login(t.Context(), authcore.LoginStep{
			Now: start, Claims: []authcore.Record{record}, Decide: storing(newAccount("ada")),
		})))
	}
	wantItems(t, store, start, []authcore.Item{{Record: &longest}})
}

func binaryRecords(t *testing.T, store authcore.Store) {
	every := make([]byte, 16<<10)
	for i := range every {
		every[i] = byte(i + i>>8)
	}
	for i, data := range [][]byte{nil, {}, {0}, {0xff, 0xfe, 0}, []byte("\r\n\x1a"), []byte("$1\r\n"), every} {
		record := newRecord(fmt.Sprint(i), "ada")
		record.Data = data
		put(t, store, record)
		wantRecord(t, store, record)
	}
}
