//go:build unix

package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that the server may not read, or a folder that it may not write, is an error
// that names the owner and the user of the process.
func TestStoreErrorsNameTheOwner(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	got := accessHint(os.ErrPermission, filepath.Join(folder, "none", "edgeauth.db"))
	name := userName(os.Geteuid())
	if want := " (" + folder + " is owned by " + name + " with mode 0700, running as " + name + ")"; got != want {
		t.Errorf("accessHint() = %q, want %q", got, want)
	}
	if got := accessHint(os.ErrNotExist, folder); got != "" {
		t.Errorf("accessHint() of another error = %q, want nothing", got)
	}
	if os.Geteuid() == 0 {
		return // root has all rights
	}
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage bolt " + folder + "/edgeauth.db"}
	if err := tryLoad(t, s.caddyfile()); err == nil || !strings.Contains(err.Error(), "running as "+name) {
		t.Errorf("start without rights = %v, want an error with the user", err)
	}
}
