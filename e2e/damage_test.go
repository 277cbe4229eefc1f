package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// twoRealms is a site whose default realm has a file of its own, next to a realm
// "steady" on another port with another file.
func twoRealms(t *testing.T) (s, steady *site) {
	t.Helper()
	s = prepareSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, []string{"storage bolt {env.HOME}/first.db"})})
	steady = bareSite(t, s.config)
	steady.secrets = s.secrets
	s.config.More = strings.NewReplacer("PORT", strings.TrimPrefix(steady.URL, "http://127.0.0.1:"), "UPSTREAM", s.config.Upstream).Replace(`
http://127.0.0.1:PORT {
	login_api {
		realm steady
	}
	token_auth {
		realm steady
	}
	reverse_proxy UPSTREAM
}
`)
	s.config.Global = []string{
		"edgeauth steady {", "\tclient web {env.WEB_CLIENT_KEY}", "\temail_link " + linkTemplate,
		"\tinsecure_debug_links", "\tstorage bolt {env.HOME}/second.db", "}",
	}
	s.Configure(t, s.config.render(s.Edge))
	s.Start(t)
	return s, steady
}

// overwrite writes to a file in place, as a failing disk or a wrong command does.
func overwrite(t *testing.T, path string, change func([]byte)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal("ReadFile:", err)
	}
	change(text)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal("OpenFile:", err)
	}
	defer file.Close()
	if _, err := file.WriteAt(text, 0); err != nil {
		t.Fatal("WriteAt:", err)
	}
}

// TestDamagedFile damages the file of one realm while the server runs. Calls of that
// realm answer 503, its tokens and the other realm are not affected. Reloads with a
// damaged file fail, later ones succeed, and SIGTERM ends the process (CWE-248).
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string){
		"overwritten": func(t *testing.T, path string) {
			t.Helper()
			overwrite(t, path, func(text []byte) {
				for i := range text {
					text[i] ^= byte(0x5a + i)
				}
			})
		},
		"zeroed pages": func(t *testing.T, path string) {
			t.Helper()
			overwrite(t, path, func(text []byte) { clear(text[2*os.Getpagesize():]) })
		},
		"truncated": func(t *testing.T, path string) {
			t.Helper()
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal("Truncate:", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, steady := twoRealms(t)
			path := filepath.Join(s.Dir, "first.db")
			token, other := s.logIn(t, "damaged@example.com").token, steady.logIn(t, "steady@example.com").token
			s.get(t, "/whoami", token).must(t, http.StatusOK)
			damage(t, path)

			wait.Until(t, time.Minute, "logins of the realm fail", func() bool {
				status, _ := loginOnce(t, s, "damaged@example.com")
				if status != http.StatusOK && status != http.StatusServiceUnavailable {
					t.Fatalf("a login with a damaged file = %d, want 503", status)
				}
				return status == http.StatusServiceUnavailable
			})
			got := s.post(t, "/by-link/link/", map[string]any{"email": "damaged@example.com"})
			got.refused(t, http.StatusServiceUnavailable, "unavailable")
			if got.header.Get("Retry-After") == "" {
				t.Error("the 503 has no Retry-After")
			}
			s.get(t, "/whoami", token).must(t, http.StatusOK)
			isRefused(t, "a bad token", s.get(t, "/whoami", "x"), bodyInvalid)
			for range 3 {
				steady.get(t, "/whoami", other).must(t, http.StatusOK)
				steady.logIn(t, "steady@example.com")
			}

			good := s.config.Realm
			s.config.Realm = slices.Concat(good[:len(good)-1], []string{"storage bolt {env.HOME}/third.db"})
			s.Configure(t, s.config.render(s.Edge))
			if err := s.Reload(t); err != nil {
				t.Fatalf("a reload with an intact file = %v, want nil", err)
			}
			s.client.CloseIdleConnections()
			s.logIn(t, "damaged@example.com")
			s.Stop(t)
		})
	}
}

// TestReloadWithDamagedFile reloads with a file that is damaged already. The server
// keeps its configuration, and later reloads succeed.
func TestReloadWithDamagedFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, []string{"storage bolt {env.HOME}/first.db"})})
	token := s.logIn(t, "reload@example.com").token
	whole, err := os.ReadFile(filepath.Join(s.Dir, "first.db"))
	if err != nil {
		t.Fatal("ReadFile:", err)
	}
	good := s.config.Realm
	for name, text := range map[string][]byte{
		"garbage":      []byte(strings.Repeat("garbage ", 4096)),
		"cut off":      whole[:3*os.Getpagesize()],
		"zeroed pages": append(slices.Clone(whole[:2*os.Getpagesize()]), make([]byte, len(whole)-2*os.Getpagesize())...),
	} {
		damaged := strings.ReplaceAll(name, " ", "-") + ".db"
		if err := os.WriteFile(filepath.Join(s.Dir, damaged), text, 0o600); err != nil {
			t.Fatal("WriteFile:", err)
		}
		s.config.Realm = slices.Concat(good[:len(good)-1], []string{"storage bolt {env.HOME}/" + damaged})
		s.Configure(t, s.config.render(s.Edge))
		if err := s.Reload(t); err == nil || !strings.Contains(err.Error(), damaged) {
			t.Errorf("a reload with a file of %s = %v, want an error with its name", name, err)
		}
		s.get(t, "/whoami", token).must(t, http.StatusOK)
		s.logIn(t, "reload@example.com")
	}
	s.config.Realm = good
	s.Configure(t, s.config.render(s.Edge))
	if err := s.Reload(t); err != nil {
		t.Errorf("the reload with the good configuration = %v, want nil", err)
	}
	s.client.CloseIdleConnections()
	s.get(t, "/whoami", token).must(t, http.StatusOK)
	s.logIn(t, "reload@example.com")
}
