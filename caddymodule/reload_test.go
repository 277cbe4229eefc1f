package caddymodule

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"

	core "github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// Everything that began before a reload, successful or failed, continues after it.
func TestHardeningReloadLosesNothing(t *testing.T) {
	for name, storage := range map[string]string{
		"memory": "storage memory",
		"bolt":   "storage bolt " + filepath.Join(t.TempDir(), "edgeauth.db"),
	} {
		t.Run(name, func(t *testing.T) {
			box := newMailbox(t)
			box.gate = make(chan struct{})
			s := setup{
				Port:  freePort(t),
				Realm: storage + "\n" + box.option() + "\n limit link_per_ip 2 1h",
				Site:  "token_auth\n respond {http.auth.user.email}",
			}
			load(t, s.caddyfile())
			link := s.url("/v1/auth/by-link/link/")
			// The mail waits in the queue while the configuration changes.
			post(t, link, map[string]any{"email": "a@example.com"}, 200)
			queue := loadedRealm(t, "").live.Load().mailer

			changed := s
			changed.Realm += "\n token_lifetime 7d"
			load(t, changed.caddyfile())
			if loadedRealm(t, "").live.Load().mailer != queue {
				t.Error("the mail waits in a queue of the old configuration")
			}
			broken := s
			broken.Realm += "\n email_taken conflict\n client other " + testKey
			if err := tryLoad(t, broken.caddyfile()); err == nil {
				t.Fatal("a configuration with one key for two clients was loaded")
			}
			taken := s
			taken.Sites = "http://127.0.0.1:" + busyPort(t) + " {\n respond no\n}"
			if err := tryLoad(t, taken.caddyfile()); err == nil {
				t.Fatal("a configuration with a port that is taken was loaded")
			}
			close(box.gate)
			token := spend(t, s, linkSecret(t, box.receive(t)))

			load(t, s.caddyfile())
			_, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
			if body != "a@example.com" {
				t.Errorf("the session after a reload: %s", body)
			}
			post(t, link, map[string]any{"email": "a@example.com"}, 200)
			load(t, changed.caddyfile())
			post(t, link, map[string]any{"email": "a@example.com"}, 429) // the third one

			post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+token)
			load(t, s.caddyfile())
			if response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token); response.StatusCode != 401 {
				t.Errorf("a reload forgot the logout: %d", response.StatusCode)
			}
		})
	}
}

// A reload that mends the mailer must not lose the mail that could not be sent.
func TestHardeningMailOutlivesItsMailer(t *testing.T) {
	refused := make(chan struct{}, 10)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		refused <- struct{}{}
	}))
	defer broken.Close()
	box := newMailbox(t)
	s := setup{
		Port:  freePort(t),
		Realm: "storage memory\n mailer webhook " + broken.URL + " {\n from login@example.com\n}",
		Site:  "token_auth\n respond ok",
	}
	load(t, s.caddyfile())
	post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "a@example.com"}, 200)
	<-refused
	s.Realm = "storage memory\n" + box.option()
	load(t, s.caddyfile())
	spend(t, s, linkSecret(t, box.receive(t)))
}

// Mail that waits when edgeauth is taken out of the configuration has no
// successor; it must still go out (and not be handed to its own, closed queue).
func TestHardeningMailOutlivesItsRealm(t *testing.T) {
	for name, reload := range map[string]func(t *testing.T, s setup){
		"at once":        func(*testing.T, setup) {},
		"after a reload": func(t *testing.T, s setup) { load(t, s.caddyfile()) },
		"after a failed reload": func(t *testing.T, s setup) {
			s.Sites = "http://127.0.0.1:" + busyPort(t) + " {\n respond no\n}"
			if err := tryLoad(t, s.caddyfile()); err == nil {
				t.Fatal("loaded with a port that is taken")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			box := newMailbox(t)
			box.gate = make(chan struct{})
			s := setup{Port: freePort(t), Realm: "storage memory\n token_lifetime 7d\n" + box.option(), Site: "token_auth\n respond ok"}
			load(t, s.caddyfile())
			post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "a@example.com"}, 200)
			reload(t, s)
			go close(box.gate)
			load(t, "{\n admin off\n}\nhttp://127.0.0.1:"+freePort(t)+" {\n respond ok\n}\n")
			box.receive(t)
		})
	}
}

// Every configuration holds a cache of tokens: one that stays in memory after a
// reload is a server that ends by itself (CWE-401).
func TestHardeningReloadsLeaveNothingBehind(t *testing.T) {
	box := newMailbox(t)
	s := setup{Port: freePort(t), Realm: "storage memory\n" + box.option(), Site: "token_auth\n respond ok"}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	load(t, s.caddyfile())
	before := heap()
	for range 30 {
		load(t, s.caddyfile())
	}
	servertest.Eventually(t, "30 reloads leave less than 20 MB behind", func() bool { return heap() <= before+20<<20 })
}

// busyPort returns a port with a listener that does not share it.
func busyPort(t *testing.T) string {
	t.Helper()
	u := newRawUpstream(t)
	return u.address[strings.LastIndexByte(u.address, ':')+1:]
}

// Every request that is read during reloads is answered, and well. (A connection
// that the kernel gave to the socket of the old server may be reset before a
// request is read from it; that is between Caddy and the kernel.)
func TestHardeningReloadDropsNoRequest(t *testing.T) {
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage bolt " + filepath.Join(t.TempDir(), "e.db") +
			"\n limit link_per_address off\n limit link_per_ip off\n limit login_per_ip off",
		Site: "token_auth\n respond ok",
	}
	load(t, s.caddyfile())
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var logins atomic.Int64
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		clients.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				if loginDuringReload(t, s, email) {
					logins.Add(1)
				}
			}
		})
	}
	changed := s
	changed.Realm += "\n token_lifetime 7d"
	for n := 0; n < 5 || n < 200 && logins.Load() == 0; n++ {
		load(t, changed.caddyfile())
		load(t, s.caddyfile())
	}
	cancel()
	clients.Wait()
	if logins.Load() == 0 {
		t.Error("no login succeeded meanwhile")
	}
}

// loginDuringReload logs in and uses the token. It reports false when a
// connection was reset.
func loginDuringReload(t *testing.T, s setup, email string) bool {
	steps := []struct {
		path  string
		body  func(before string) url.Values
		after string // what the part of the answer follows that the next step needs
	}{
		{"/v1/auth/by-link/link/", func(string) url.Values { return url.Values{"email": {email}} }, "/auth/link/"},
		{"/v1/auth/by-link/login/", func(secret string) url.Values {
			return url.Values{"token": {secret}, "client_key": {testKey}}
		}, `"token":"`},
		{"/", func(string) url.Values { return nil }, ""},
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	part := ""
	for _, step := range steps {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url(step.path), strings.NewReader(step.body(part).Encode()))
		if err != nil {
			t.Error(err)
			return false
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", "Token "+part)
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 {
			t.Errorf("%s during a reload: %d %s %v", step.path, response.StatusCode, content, err)
			return false
		}
		_, rest, _ := strings.Cut(string(content), step.after)
		part, _, _ = strings.Cut(rest, `"`)
	}
	return true
}

// Everything is given back at the end: the file can be opened by others.
func TestStopReleasesEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.db")
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage bolt " + path}
	load(t, s.caddyfile())
	login(t, s, "a@example.com")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	resources.Range(func(key, _ any) bool {
		t.Errorf("still in the pool: %v", key)
		return true
	})
	db, err := bolt.Open(path, bolt.WithLockTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsWaitForAStartingRealm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		realm := &Realm{started: make(chan struct{}), startWait: startWait}
		if _, err := realm.serving(t.Context()); !errors.Is(err, errNotReady) {
			t.Errorf("after the wait: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := realm.serving(gone); !errors.Is(err, errNotReady) {
			t.Errorf("of a request that is gone: %v", err)
		}
		live := &liveRealm{Realm: new(core.Realm)}
		go func() {
			time.Sleep(startWait / 2) // of the bubble's clock
			realm.live.Store(live)
			close(realm.started)
		}()
		if got, err := realm.serving(t.Context()); got != live || err != nil {
			t.Errorf("when it starts: %v %v", got, err)
		}
	})
}
