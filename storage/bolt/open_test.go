package bolt

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

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
			t.Errorf("Stat(%s) = %v, error %v, want mode %o", path, info.Mode(), err, want)
		}
	}
	wantMode(path, 0o600)
	wantMode(folder, 0o700)
	wantMode(filepath.Dir(folder), 0o700)
	// A backup that was restored with a permissive umask exposes the signing keys to
	// all users of the machine (CWE-732).
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal("Chmod:", err)
	}
	closeDB(t, openFile(t, path))
	wantMode(path, 0o600)
}

func TestOpenRefuses(t *testing.T) {
	number := func(t *testing.T, path string, key []byte, text string) {
		t.Helper()
		closeDB(t, openFile(t, path))
		edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(key, []byte(text)) })
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    string
	}{
		"a newer layout": {func(t *testing.T, path string) {
			t.Helper()
			number(t, path, layoutKey, "2")
		}, "run the newer program"},
		"a newer format": {func(t *testing.T, path string) {
			t.Helper()
			number(t, path, formatKey, fmt.Sprint(authcore.Format+1))
		}, "run the newer program"},
		"a damaged number": {func(t *testing.T, path string) {
			t.Helper()
			number(t, path, formatKey, "x")
		}, "restore it from a backup"},
		"a foreign file": {func(t *testing.T, path string) {
			t.Helper()
			edit(t, path, func(engine *bbolt.Tx) error {
				_, err := engine.CreateBucket([]byte("other"))
				return err
			})
		}, "belongs to another program"},
		"garbage": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(strings.Repeat("garbage", 5000)), 0o600); err != nil {
				t.Fatal("prepare:", err)
			}
		}, "not a bbolt file"},
		"a folder": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal("prepare:", err)
			}
		}, "not a bbolt file"},
		"an open file": {func(t *testing.T, path string) {
			t.Helper()
			db := openFile(t, path)
			t.Cleanup(func() { closeDB(t, db) })
		}, "open in another process; stop that process"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "auth.db")
			test.prepare(t, path)
			db, err := Open(path, WithLockTimeout(time.Millisecond))
			if err == nil {
				closeDB(t, db)
				t.Fatalf("Open(%s) = nil, want an error", path)
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open(%s) = %v, want an error with %q", path, err, test.want)
			}
		})
	}
	t.Run("a folder that is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal("WriteFile:", err)
		}
		for _, path := range []string{filepath.Join(file, "auth.db"), filepath.Join(file, "a", "auth.db")} {
			if _, err := Open(path); err == nil {
				t.Errorf("Open(%s) = nil, want an error", path)
			}
		}
	})
}

func TestRealm(t *testing.T) {
	db := openTemp(t)
	if _, err := db.Realm(t.Context(), ""); err == nil {
		t.Error("Realm with an empty name = nil, want an error")
	}
	one, again := realm(t, db, "one"), realm(t, db, "one")
	if one != again {
		t.Error("one name returned two stores, which do not share their counters")
	}
	counter := []authcore.Counter{{Party: "a", Window: time.Hour, Add: 1}}
	for want := 1; want < 3; want++ {
		got, err := realm(t, db, "one").Count(t.Context(), origin, counter)
		if err != nil || got[0].N != want {
			t.Errorf("Count = %v, error %v, want %d", got, err, want)
		}
	}
}

// An error names the owner of the file and the user of the process, so that
// the operator can change one of them.
func TestPermissionErrorNamesOwners(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "auth.db")
	err := openError(path, &os.PathError{Op: "open", Path: path, Err: os.ErrPermission})
	owner := userName(fmt.Sprint(os.Geteuid()))
	for _, want := range []string{path, folder + " belongs to " + owner, "runs as " + owner, "chown"} {
		if runtime.GOOS != "windows" && !strings.Contains(err.Error(), want) {
			t.Errorf("openError = %v, want %q in it", err, want)
		}
	}
}
