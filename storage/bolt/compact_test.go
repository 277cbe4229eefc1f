package bolt_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// A compacted backup contains what the backup contains, in less space.
func TestCompact(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db, err := bolt.Open(filepath.Join(folder, "edgeauth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store, err := db.Realm(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	key := func(i int) authcore.RecordKey { return authcore.RecordKey{Kind: "test", Key: fmt.Sprint(i)} }
	for i := range 200 {
		record := authcore.Record{RecordKey: key(i), Created: now, Data: bytes.Repeat([]byte("x"), 8<<10)}
		if err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: now}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 190 {
		if err := store.DeleteRecord(t.Context(), key(i)); err != nil {
			t.Fatal(err)
		}
	}
	backup, compacted := filepath.Join(folder, "backup"), filepath.Join(folder, "compacted")
	file, err := os.OpenFile(backup, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bolt.Compact(t.Context(), backup, compacted); err != nil {
		t.Fatalf("Compact() failed: %v", err)
	}
	before, _ := os.Stat(backup)
	after, err := os.Stat(compacted)
	if err != nil || after.Size() >= before.Size()/2 || after.Mode().Perm() != 0o600 {
		t.Errorf("Compact() wrote %d bytes from %d with mode %s, want less than half and mode 0600", after.Size(), before.Size(), after.Mode())
	}
	restored, err := bolt.Open(compacted)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if store, err = restored.Realm(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Record(t.Context(), key(199), now); err != nil {
		t.Errorf("Record() of the compacted file failed: %v", err)
	}
	if err := bolt.Compact(t.Context(), backup, compacted); err == nil {
		t.Error("Compact() to an existing file succeeded, want an error")
	}
	if err := os.WriteFile(backup, bytes.Repeat([]byte("x"), 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bolt.Compact(t.Context(), backup, filepath.Join(folder, "another")); err == nil {
		t.Error("Compact() of a damaged file succeeded, want an error")
	}
}
