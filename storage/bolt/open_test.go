package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func TestOpenMakesPrivateFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	folder := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(folder, "auth.db")
	closeDB(t, openFile(t, path))
	wantMode := func(path string, want os.FileMode) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, error %v; want mode %o", path, info.Mode(), err, want)
		}
	}
	wantMode(path, 0o600)
	wantMode(folder, 0o700)
	wantMode(filepath.Dir(folder), 0o700)
	// A backup that was restored under a lax umask gives the signing keys to
	// everybody on the machine (CWE-732).
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	closeDB(t, openFile(t, path))
	wantMode(path, 0o600)
}

func TestOpenRefuses(t *testing.T) {
	write := func(t *testing.T, path string, fill func(*bbolt.Tx) error) {
		t.Helper()
		file, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Update(fill), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	version := func(t *testing.T, path, version string) {
		t.Helper()
		closeDB(t, openFile(t, path))
		write(t, path, func(engine *bbolt.Tx) error {
			return engine.Bucket(metaBucket).Put(versionKey, []byte(version))
		})
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    string
	}{
		"a newer format": {func(t *testing.T, path string) {
			t.Helper()
			version(t, path, "2")
		}, "run the newer program"},
		"a broken version": {func(t *testing.T, path string) {
			t.Helper()
			version(t, path, "x")
		}, "restore it from a backup"},
		"a foreign file": {func(t *testing.T, path string) {
			t.Helper()
			write(t, path, func(engine *bbolt.Tx) error {
				_, err := engine.CreateBucket([]byte("other"))
				return err
			})
		}, "belongs to another program"},
		"garbage": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(strings.Repeat("garbage", 5000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "no bbolt file"},
		"a folder": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "open "},
		"an open file": {func(t *testing.T, path string) {
			t.Helper()
			db := openFile(t, path)
			t.Cleanup(func() { closeDB(t, db) })
		}, "open in another process: stop that process"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "auth.db")
			test.prepare(t, path)
			db, err := Open(path, WithLockTimeout(time.Millisecond))
			if err == nil {
				closeDB(t, db)
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %q, want it to name the file and say %q", err, test.want)
			}
		})
	}
	t.Run("a folder that is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{filepath.Join(file, "auth.db"), filepath.Join(file, "a", "auth.db")} {
			if _, err := Open(path); err == nil {
				t.Errorf("no error for %s", path)
			}
		}
	})
}

func TestRealm(t *testing.T) {
	db := openTemp(t)
	if _, err := db.Realm(t.Context(), ""); err == nil {
		t.Error("a realm without a name")
	}
	one, again := realm(t, db, "one"), realm(t, db, "one")
	if one != again {
		t.Error("one name gave two stores: counters would be counted apart")
	}
	counter := []authcore.Counter{{Party: "a", Window: time.Hour}}
	for want := 1; want < 3; want++ {
		got, err := realm(t, db, "one").Count(t.Context(), origin, counter)
		if err != nil || got[0].N != want {
			t.Errorf("count %d: %v, error %v", want, got, err)
		}
	}
}
