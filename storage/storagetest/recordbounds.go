package storagetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func listRecords(t *testing.T, store authcore.Store) {
	const bound = 1000
	var items []authcore.Item
	for i := range bound + 5 {
		record := newRecord(fmt.Sprint(i), "ada")
		record.Created = at(-time.Duration(i*7919%(bound+5)) * time.Second)
		items = append(items, authcore.Item{Record: &record})
	}
	wantImported(t, store, items, len(items))
	for _, owner := range []string{"ad", "ada ", "adam", "ADA"} {
		put(t, store, newRecord("of "+owner, owner))
	}
	records, err := store.RecordsOf(t.Context(), "link", "ada", start)
	if err != nil || len(records) != bound {
		t.Errorf("RecordsOf = %d records, error %v, want %d", len(records), err, bound)
	}
	for i, record := range records {
		if !record.Created.Equal(at(-time.Duration(i) * time.Second)) {
			t.Fatalf("RecordsOf[%d] was created at %v, want the newest first", i, record.Created)
		}
	}
	wantRecordsOf(t, store, "lin", "ada")
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
