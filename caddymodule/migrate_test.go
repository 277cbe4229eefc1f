package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// place is an empty storage, as the command line and as the Caddyfile name it.
type place struct{ flag, option string }

func boltPlace(t *testing.T) place {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edgeauth.db")
	return place{"bolt:" + path, "storage bolt " + path}
}

// migrated runs the command and returns what it printed.
func migrated(t *testing.T, from, to string, change ...func(*migration)) (string, error) {
	t.Helper()
	var out bytes.Buffer
	m := &migration{from: from, to: to, out: &out, clock: time.Now}
	for _, c := range change {
		c(m)
	}
	err := m.run(t.Context())
	if strings.Contains(out.String(), "secret-of-the-database") {
		t.Errorf("a password was printed: %s", out.String())
	}
	return out.String(), err
}

func dryRun(m *migration) { m.dry = true }

func ofRealms(names ...string) func(*migration) { return func(m *migration) { m.realms = names } }

// wantSaid checks that words were printed, in this order.
func wantSaid(t *testing.T, said string, words ...string) {
	t.Helper()
	rest := said
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			t.Fatalf("%q is missing in %q", word, said)
		}
		rest = after
	}
}

func TestMigrate(t *testing.T) {
	moves(t, boltPlace(t), boltPlace(t))
}

// moves logs users in on one storage, moves them, and uses them on the other.
func moves(t *testing.T, from, to place) {
	t.Helper()
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n", Site: "token_auth\n respond {http.auth.user.email}"}
	on := func(p place) setup {
		s := s
		s.Realm += p.option
		s.Globals = "edgeauth staff {\n client web staff-client-key\n email_link https://staff.app/{token}\n insecure_debug_links\n" +
			p.option + "\n}"
		return s
	}
	ask := func(token string) (int, string) {
		response, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
		return response.StatusCode, body
	}

	load(t, on(from).caddyfile())
	kept, renewed, loggedOut := login(t, s, "kept@example.com"), login(t, s, "renewed@example.com"), login(t, s, "out@example.com")
	disabled := login(t, s, "disabled@example.com")
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+loggedOut)
	former := renewed
	renewed = post(t, s.url("/v1/auth/token/refresh/"), nil, 200, "Authorization", "Token "+renewed)["token"].(string)
	service := loadedRealm(t, "").live.Load()
	user, err := service.Accounts.Find(t.Context(), "disabled@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Accounts.Disable(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}

	said, err := migrated(t, from.flag, to.flag, dryRun)
	if err != nil {
		t.Fatal(err)
	}
	wantSaid(t, said, "default realm: 4 users, 0 identities, 2 sessions, ", "3 revocations, 2 keys to move", "no such realm yet",
		"realm staff: 0 users", "nothing was changed")
	if said, err = migrated(t, from.flag, to.flag); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, said, "default realm: read 4 users", ", 0 were present already", "source and target are equal", "realm staff", "moved to")
	if said, err = migrated(t, from.flag, to.flag, ofRealms("")); err != nil || strings.Contains(said, "staff") {
		t.Fatalf("%v: got %s", err, said)
	}
	wantSaid(t, said, "stored 0, ")
	if said, err = migrated(t, from.flag, to.flag, dryRun); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, said, " of them already")

	load(t, on(to).caddyfile())
	for token, want := range map[string]int{kept: 200, renewed: 200, former: 200, loggedOut: 401, disabled: 401} {
		if status, body := ask(token); status != want {
			t.Errorf("a token on the new storage: status %d, want %d: %s", status, want, body)
		}
	}
	// Everything works as before: refresh, logout, login with the same account.
	renewed = post(t, s.url("/v1/auth/token/refresh/"), nil, 200, "Authorization", "Token "+renewed)["token"].(string)
	if status, body := ask(renewed); status != 200 || body != "renewed@example.com" {
		t.Errorf("after a refresh: %d %s", status, body)
	}
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+kept)
	if status, _ := ask(kept); status != 401 {
		t.Errorf("after the logout: %d", status)
	}
	service = loadedRealm(t, "").live.Load()
	if found, err := service.Accounts.Find(t.Context(), "disabled@example.com"); err != nil || found.ID != user.ID || !found.Disabled {
		t.Errorf("the disabled user: %+v, %v", found, err)
	}
	login(t, s, "kept@example.com")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	// Later changes on the new storage are not undone, and are reported.
	if _, err := migrated(t, from.flag, to.flag); err == nil || !strings.Contains(err.Error(), "only in the target") {
		t.Errorf("a target that was in use: %v", err)
	}
}

func TestMigrateRefuses(t *testing.T) {
	from := boltPlace(t)
	fill := func(realms ...string) {
		for _, realm := range realms {
			store := openPlace(t, from, realm)
			if _, err := store.Import(t.Context(), []authcore.Item{{User: &authcore.User{ID: "1", Created: time.Now()}}}); err != nil {
				t.Fatalf("Import: %v", err)
			}
		}
	}
	fill("", "staff")
	missing := filepath.Join(t.TempDir(), "missing.db")
	for name, test := range map[string]struct {
		from, to string
		change   func(*migration)
		want     string
	}{
		"no source":          {"", "bolt", nil, "--from is required, for example"},
		"no target":          {"bolt", "", nil, "--to is required, for example"},
		"an unknown module":  {from.flag, "nosuch:x", nil, "--to: "},
		"too much":           {from.flag, "bolt a b", nil, "at most one argument"},
		"two storages":       {from.flag, "bolt a\nbolt b", nil, "expected one storage"},
		"one storage":        {from.flag, "bolt " + strings.TrimPrefix(from.flag, "bolt:"), nil, "name the same storage"},
		"a file that is not": {"bolt:" + missing, "bolt:" + missing + "2", nil, "missing.db: no such file"},
		"no such realm":      {from.flag, "bolt:" + missing, ofRealms("", "shop"), `the source has no realm "shop"; name one of ["" "staff"]`},
		"memory":             {"memory", from.flag, nil, "storage memory belongs to one process"},
		"into memory":        {from.flag, "memory", nil, "storage memory belongs to one process"},
		"an unset variable":  {from.flag, "bolt:{env.EDGEAUTH_TEST_UNSET}", nil, "EDGEAUTH_TEST_UNSET"},
		"an older source":    {"outdated", from.flag, nil, "--from: an older version created this storage"},
		"no realms known":    {"unlisted", from.flag, nil, "name them with --realm"},
	} {
		t.Run(name, func(t *testing.T) {
			change := test.change
			if change == nil {
				change = func(*migration) {}
			}
			if _, err := migrated(t, test.from, test.to, change); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if matches, _ := filepath.Glob(missing + "*"); len(matches) > 0 {
				t.Errorf("%v was made", matches)
			}
		})
	}
	t.Run("a server that has run on the target", func(t *testing.T) {
		to := boltPlace(t)
		for _, p := range []place{from, to} {
			s := setup{Port: freePort(t), Realm: "insecure_debug_links\n" + p.option}
			load(t, s.caddyfile())
			if err := caddy.Stop(); err != nil {
				t.Fatal(err)
			}
		}
		for _, change := range []func(*migration){dryRun, func(*migration) {}} {
			if _, err := migrated(t, from.flag, to.flag, change); err == nil || !strings.Contains(err.Error(), "signing keys of its own") {
				t.Errorf("error %v", err)
			}
		}
	})
	t.Run("a dry run makes nothing", func(t *testing.T) {
		to := boltPlace(t)
		if _, err := migrated(t, from.flag, to.flag, dryRun); err != nil {
			t.Error(err)
		}
		if matches, _ := filepath.Glob(strings.TrimPrefix(to.flag, "bolt:")); len(matches) > 0 {
			t.Errorf("%v was made", matches)
		}
	})
	t.Run("a dry run leaves a target of an older version", func(t *testing.T) {
		said, err := migrated(t, from.flag, "outdated", dryRun)
		if err != nil {
			t.Error(err)
		}
		wantSaid(t, said, "outdated was created by an older version", "nothing was changed")
	})
	t.Run("a file in use", func(t *testing.T) {
		if testing.Short() {
			t.Skip("waits for the lock of the file")
		}
		used := boltPlace(t)
		db, err := bolt.Open(strings.TrimPrefix(used.flag, "bolt:")) // not through the pool, as if by another process
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := migrated(t, used.flag, boltPlace(t).flag); err == nil || !strings.Contains(err.Error(), "open in another process; stop that process") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("an end in the middle", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := &migration{from: from.flag, to: boltPlace(t).flag, out: &bytes.Buffer{}, clock: time.Now}
		if err := m.run(ctx); err == nil {
			t.Error("no error")
		}
	})
}

// A storage on the command line may contain a password, and errors of parsers quote
// it in many forms (CWE-209).
func TestHardeningMigrateShowsNoSecret(t *testing.T) {
	t.Setenv("EDGEAUTH_TEST_DSN", "x://u:s3cr%2Ft@host")
	for _, text := range []string{
		"x://u:s3cr%2Ft@host:port/db", "x://u:s3cr%2Ft@h@host", "bolt:x://u:s3cr%2Ft@host", "x 'host=h password=s3cr/t'",
		"x host=h;password='s3cr/t'", "x h?sslpassword=s3cr%2Ft&a=b", "x {\n sentinel_password s3cr/t\n}", "bolt {env.EDGEAUTH_TEST_DSN} y",
		"bolt x {\n s3cr/t\n token s3cr/t\n}", "redis://u:s3cr%2Ft@127.0.0.1:1", "redis://u:s3cr/t@127.0.0.1:1", "redis:u:s3cr/t@127.0.0.1",
		"redis redis://127.0.0.1:1 {\n sentinel x\n sentinel_password s3cr/t\n}", "postgres://u:s3cr%2Ft@127.0.0.1:1/x",
		"postgres://u:s3cr/t@127.0.0.1:1/x", "postgres:host=127.0.0.1 port=1 password=s3cr/t", "postgres:host=127.0.0.1 port=x password='s3cr/t'",
	} {
		for _, m := range []migration{{from: text, to: "bolt"}, {from: "bolt", to: text}} {
			m.out, m.clock = io.Discard, time.Now
			err := m.run(t.Context())
			if err == nil || strings.Contains(err.Error(), "s3cr") {
				t.Errorf("%s: error %v", text, err)
			}
		}
		err := redacted{fmt.Errorf("%q, %s: got %w", text, text, io.EOF), secretsIn(text)}
		if strings.Contains(err.Error(), "s3cr") || !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// openPlace opens a realm of a storage until the test ends.
func openPlace(t *testing.T, p place, realm string) authcore.Store {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	storage, err := loadNamedStorage(ctx, "--from", p.flag)
	if err != nil {
		t.Fatal(err)
	}
	store, release, err := storage.OpenStorage(t.Context(), realm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = release() })
	return store
}

// unlistedStorage is a third-party module.
type unlistedStorage struct{ MemoryStorage }

func (*unlistedStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.unlisted", New: func() caddy.Module { return new(unlistedStorage) }}
}

// outdatedStorage contains data of an older version. It is never opened.
type outdatedStorage struct{ MemoryStorage }

func (*outdatedStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.outdated", New: func() caddy.Module { return new(outdatedStorage) }}
}

func (*outdatedStorage) StorageRealms(context.Context) ([]string, error) { return nil, ErrOldStorage }

func init() {
	caddy.RegisterModule(new(unlistedStorage))
	caddy.RegisterModule(new(outdatedStorage))
}
