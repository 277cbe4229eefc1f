package caddymodule

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// bbolt waits for a file that is open already: one file is opened once, however
// its path is spelt, by how many realms and configurations.
func TestOneFileInManySpellings(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Skip("no symbolic links here")
	}
	s := setup{Port: freePort(t), Site: "token_auth\n respond ok"}
	token := ""
	for _, path := range []string{
		filepath.Join(folder, "new", "e.db"), folder + "/./new//e.db", filepath.Join(link, "new", "e.db"), folder + "/new/../new/e.db",
	} {
		s.Realm = "insecure_debug_links\n storage bolt " + path
		load(t, s.caddyfile())
		if token == "" {
			token = login(t, s, "a@example.com")
		}
		if response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token); response.StatusCode != 200 {
			t.Errorf("%s: another store: %d", path, response.StatusCode)
		}
	}
}

// Validating opens nothing, so that it works next to a running server; a
// start next to that server is an error that names the file.
func TestValidateWhileAnotherProcessHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.db")
	db, err := bolt.Open(path) // bbolt locks by open file, so this is like another process
	if err != nil {
		t.Fatal(err)
	}
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage bolt " + path}
	if err := validate(s.caddyfile()); err != nil {
		t.Errorf("validate: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	load(t, s.caddyfile())
	login(t, s, "a@example.com")
}

func TestValidateMakesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "e.db")
	s := setup{Port: "8080", Realm: "insecure_debug_links\n storage bolt " + path}
	if err := validate(s.caddyfile()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("validate made something: %v", err)
	}
}

func TestUseCountClosesAfterTheLastUser(t *testing.T) {
	var l useCount
	closed := make(chan struct{})
	if !l.acquire() || !l.acquire() {
		t.Fatal("acquire = false, want true before the end")
	}
	if err := l.end(false, func() error { close(closed); return nil }); err != nil {
		t.Fatal(err)
	}
	l.release()
	select {
	case <-closed:
		t.Fatal("closed while in use")
	default:
	}
	l.release()
	<-closed
	l.closing.Wait()
	if l.acquire() {
		t.Error("acquire = true after the end, want false")
	}
}

// A request that an old server reads after its configuration was cleaned up is
// served by the new one.
func TestHandover(t *testing.T) {
	shared := new(handover)
	before := &Realm{handover: shared, started: make(chan struct{})}
	after := &Realm{handover: shared, started: make(chan struct{})}
	for _, realm := range []*Realm{before, after} {
		realm.live.Store(&liveRealm{Realm: new(core.Realm)})
		shared.current.Store(realm)
	}
	if err := before.uses.end(false, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	live, release, err := before.hold(t.Context())
	if err != nil || live != after.live.Load() {
		t.Fatalf("hold = %v, %v, want the realm that serves now", live, err)
	}
	release()
	if err := after.uses.end(false, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := before.hold(t.Context()); !errors.Is(err, errNotReady) {
		t.Errorf("after the last one: %v", err)
	}
}
