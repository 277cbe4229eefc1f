package bolt

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestCheck(t *testing.T) {
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	db := openFile(t, file("in use"))
	t.Cleanup(func() { closeDB(t, db) })
	for _, name := range []string{"free", "newer", "newer format"} {
		closeDB(t, openFile(t, file(name)))
	}
	edit(t, file("newer"), func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(layoutKey, []byte("99")) })
	edit(t, file("newer format"), func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(formatKey, []byte("99")) })
	edit(t, file("foreign"), func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("other"))
		return err
	})
	edit(t, file("fresh"), func(*bbolt.Tx) error { return nil })
	for name, text := range map[string]string{"empty": "", "garbage": strings.Repeat("garbage", 5000), "short": "x"} {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal("WriteFile:", err)
		}
	}
	filled, err := os.ReadFile(filledFile(t))
	if err != nil {
		t.Fatal("ReadFile:", err)
	}
	if err := os.WriteFile(file("truncated"), filled[:len(filled)/2], 0o600); err != nil {
		t.Fatal("WriteFile:", err)
	}
	for name, want := range map[string]struct{ state, fault string }{
		"in use":       {"in use by a running server", ""},
		"free":         {"is intact", ""},
		"fresh":        {"is intact", ""},
		"empty":        {"is empty", ""},
		"absent":       {"does not exist yet", ""},
		"a/b":          {"does not exist yet", ""},
		"newer":        {"", "run the newer program"},
		"newer format": {"", "run the newer program"},
		"foreign":      {"", "belongs to another program"},
		"garbage":      {"", "damaged or not a bbolt file; restore it from a backup"},
		"short":        {"", "damaged or not a bbolt file; restore it from a backup"},
		"truncated":    {"", "damaged or not a bbolt file; restore it from a backup"},
	} {
		before, _ := os.ReadFile(file(name))
		state, err := Check(t.Context(), file(name))
		if want.fault == "" && (err != nil || !strings.Contains(state, want.state)) ||
			want.fault != "" && (err == nil || !strings.Contains(err.Error(), want.fault) || !strings.Contains(err.Error(), file(name))) {
			t.Errorf("Check(%s) = %q, error %v, want %q%q", name, state, err, want.state, want.fault)
		}
		if after, _ := os.ReadFile(file(name)); !bytes.Equal(before, after) {
			t.Errorf("Check(%s) changed the file", name)
		}
	}
	if _, err := os.Stat(file("absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Check created a file: Stat = %v", err)
	}
	closeDB(t, openFile(t, file("free"))) // it is not locked
}

// A check of a large file ends with its context, and holds no lock after that.
func TestCheckEndsWithItsContext(t *testing.T) {
	path := filledFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if state, err := Check(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("Check with an ended context = %q, error %v, want context.Canceled", state, err)
	}
	closeDB(t, openFile(t, path, WithLockTimeout(time.Millisecond)))
}
