package bolt

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

func TestCheck(t *testing.T) {
	inUse := filepath.Join(t.TempDir(), "auth.db")
	db := openFile(t, inUse)
	t.Cleanup(func() { closeDB(t, db) })
	free := filepath.Join(t.TempDir(), "auth.db")
	closeDB(t, openFile(t, free))
	newer := filepath.Join(t.TempDir(), "auth.db")
	closeDB(t, openFile(t, newer))
	foreign, empty := filepath.Join(t.TempDir(), "other.db"), filepath.Join(t.TempDir(), "empty.db")
	for path, fill := range map[string]func(*bbolt.Tx) error{
		newer: func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(versionKey, []byte("99")) },
		foreign: func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("other"))
			return err
		},
		empty: func(*bbolt.Tx) error { return nil },
	} {
		file, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Update(fill), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, says, fault string }{
		{inUse, "in use by a running server", ""},
		{free, "is whole and not in use", ""},
		{empty, "is whole and not in use", ""},
		{free + ".new", "does not exist yet", ""},
		{filepath.Join(t.TempDir(), "a", "b"), "does not exist yet", ""},
		{newer, "", "run the newer program"},
		{foreign, "", "belongs to another program"},
	} {
		before, _ := os.ReadFile(c.path)
		says, err := Check(c.path)
		if c.fault == "" && (err != nil || !strings.Contains(says, c.says)) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %q, %v; want %q%q", c.path, says, err, c.says, c.fault)
		}
		if after, _ := os.ReadFile(c.path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", c.path)
		}
	}
	if _, err := os.Stat(free + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	closeDB(t, openFile(t, free)) // nothing holds it
}
