package caddymodule

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/caddymodule/command"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// The drill: back up while users log in, lose the file, restore the backup, and find
// what was there before the backup began. Later logins and logouts are lost.
func TestBackupDrill(t *testing.T) {
	for _, flag := range []string{"", "--compact"} {
		t.Run("backup "+flag, func(t *testing.T) { drill(t, flag) })
	}
}

func drill(t *testing.T, flags ...string) {
	folder := t.TempDir()
	file, backup := filepath.Join(folder, "edgeauth.db"), filepath.Join(folder, "backup.db")
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nlimit link_per_ip off\nlimit login_per_ip off\nstorage bolt " + file, Site: "token_auth\nrespond ok"}
	text := strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1)
	load(t, text)
	status := func(token string) int {
		response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		return response.StatusCode
	}
	ended := login(t, s, "ended@example.com")
	tokens := map[string]string{}
	for i := range 5 {
		email := fmt.Sprintf("before%d@example.com", i)
		tokens[email] = login(t, s, email)
	}
	keys, err := operate(address, "keys", "list")
	if err != nil {
		t.Fatal(err)
	}

	stop := make(chan struct{})
	var logins sync.WaitGroup
	var during atomic.Int64
	for worker := range 2 {
		logins.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					login(t, s, fmt.Sprintf("during%d-%d@example.com", worker, i))
					during.Add(1)
				}
			}
		})
	}
	servertest.Eventually(t, "users log in", func() bool { return during.Load() > 4 })
	for _, name := range []string{backup, backup} { // replaces the first one
		arguments := append([]string{"backup", name}, flags...)
		if out, err := operate(address, strings.Fields(strings.Join(arguments, " "))...); err != nil || !strings.Contains(out, "bytes, checked") {
			t.Fatalf("backup = %q, %v, want a checked file", out, err)
		}
	}
	after := during.Load()
	servertest.Eventually(t, "users log in after the backup", func() bool { return during.Load() > after+4 })
	close(stop)
	logins.Wait()
	post(t, s.url("/v1/auth/logout/"), nil, http.StatusNoContent, "Authorization", "Token "+ended)
	lost := login(t, s, "lost@example.com")
	info, err := os.Stat(backup)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat() = %v, %v, want mode 0600", info.Mode(), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("the folder contains %v, %v, want the file and the backup only", entries, err)
	}

	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, file); err != nil {
		t.Fatal(err)
	}
	load(t, text)
	for email, token := range tokens {
		if got := status(token); got != http.StatusOK {
			t.Errorf("status of %s after the restore = %d, want 200", email, got)
		}
		if _, err := operate(address, "user", "show", email); err != nil {
			t.Errorf("user show %s after the restore: %v", email, err)
		}
	}
	if got, err := operate(address, "keys", "list"); err != nil || got != keys {
		t.Errorf("keys list after the restore = %q, %v, want %q", got, err, keys)
	}
	if got := status(ended); got != http.StatusOK {
		t.Errorf("status of a token that was ended after the backup = %d, want 200: see docs/backup.md", got)
	}
	if _, err := operate(address, "user", "show", "lost@example.com"); command.ExitCode(err) != 4 {
		t.Errorf("user show of an account made after the backup = %v, want not found", err)
	}
	if again := login(t, s, "lost@example.com"); again == lost || status(again) != http.StatusOK {
		t.Error("the user whose account was lost cannot sign up again")
	}
	if _, err := operate(address, "keys", "revoke", "--all"); err != nil {
		t.Errorf("keys revoke --all after the restore: %v", err)
	}
	servertest.Eventually(t, "the ended token is refused", func() bool { return status(ended) == http.StatusUnauthorized })
}

func TestBackupRefuses(t *testing.T) {
	_, address := withAdmin(t)
	folder := t.TempDir()
	for args, want := range map[string]string{
		"backup " + filepath.Join(folder, "b.db"): "Only the storage bolt is backed up here",
		"backup -":           "Only the storage bolt is backed up here",
		"backup - --compact": "is not possible on standard output",
		"backup " + filepath.Join(folder, "missing", "b"):     "no such file or directory",
		"backup " + filepath.Join(folder, "b") + " --realm x": "there is no realm",
	} {
		if out, err := operate(address, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s = %q, %v, want %q", args, out, err, want)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("the folder contains %v, %v, want nothing", entries, err)
	}
}

func TestBackupToStandardOutput(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage bolt " + filepath.Join(t.TempDir(), "edgeauth.db")}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	out, err := operate(address, "backup", "-")
	if err != nil || len(out) < 16<<10 || !bytes.Contains([]byte(out)[:64], []byte{0xed, 0xda, 0x0c, 0xed}) {
		t.Errorf("backup - = %d bytes, %v, want a bbolt file", len(out), err)
	}
}
