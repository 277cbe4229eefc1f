package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

// reloads is the number of configuration changes under load.
const reloads = 8

// TestReloadUnderLoad checks that no request fails and no pending login is lost while
// the configuration is reloaded.
//
// Caddy resets a few connections at every reload before it has read a request from
// them: it listens with SO_REUSEPORT, and the queue of the old socket is lost. The
// directive respond alone shows the same. The client of this test repeats such
// requests. A lost answer would show, because links can be used once.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	s, idp := socialSite(t, openid.Options{})
	s.cuts = new(atomic.Int64)
	s.client.Transport.(*http.Transport).DisableKeepAlives = true // more connections, more to cut
	idp.SignIn(openid.Person{Subject: "r", Email: "reload@example.com", EmailVerified: true})
	resident := s.logIn(t, "resident@example.com")
	ended := s.logIn(t, "ended@example.com").token
	s.logOut(t, ended)

	stop := make(chan struct{})
	var clients sync.WaitGroup
	var served atomic.Int64
	for client := range 3 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				address := fmt.Sprintf("reload%d-%d@example.com", client, n)
				if !visitOnce(t, s, address, resident.token, ended) {
					return
				}
				served.Add(1)
			}
		})
	}
	for n := range reloads {
		link, begun := s.requestLink(t, "waiting@example.com"), s.authorize(t, idp)
		s.reconfigure(t, func(c *caddyfile) {
			c.Site = []string{fmt.Sprintf("header X-Generation %d", n)}
			c.Client = []string{fmt.Sprintf("lifetime %dh", n+1)}
		})
		got := s.get(t, "/whoami", resident.token).must(t, http.StatusOK)
		if generation := got.header.Get("X-Generation"); generation != fmt.Sprint(n) {
			t.Errorf("answered by generation %q, want %d", generation, n)
		}
		s.loggedIn(t, s.spendLink(t, link))
		s.loggedIn(t, s.redeem(t, begun, nil))
	}
	close(stop)
	clients.Wait()
	if served.Load() == 0 {
		t.Error("there was no load")
	}
	t.Logf("%d visits, %d connections cut", served.Load(), s.cuts.Load())
}

// visitOnce sends the requests of one user and reports whether all succeeded.
func visitOnce(t *testing.T, s *site, address, good, ended string) bool {
	for token, want := range map[string]int{good: http.StatusOK, ended: http.StatusUnauthorized} {
		got, err := s.try(t, http.MethodGet, "/whoami", "", "", "Authorization", "Token "+token)
		if err != nil || got.status != want {
			t.Errorf("got %d %s %v, want %d", got.status, got.body, err, want)
			return false
		}
	}
	var body answer
	for _, step := range []func() (string, map[string]any){
		func() (string, map[string]any) { return "/by-link/link/", map[string]any{"email": address} },
		func() (string, map[string]any) {
			token := s.linkToken(t, body.text(t, "_debug_auth_link"))
			return "/by-link/login/", map[string]any{"token": token, "client_key": clientKey}
		},
	} {
		path, object := step()
		var err error
		body, err = s.try(t, http.MethodPost, "/v1/auth"+path, jsonType, encode(t, object))
		if err != nil || body.status != http.StatusOK {
			t.Errorf("%s: got %d %s %v", path, body.status, body.body, err)
			return false
		}
	}
	return true
}

// TestFailedReload checks that an invalid configuration changes nothing.
func TestFailedReload(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits)})
	good := s.config.render(s.Edge)
	l := s.logIn(t, "steady@example.com")
	ended := s.logIn(t, "steady@example.com").token
	s.logOut(t, ended)
	for name, c := range map[string]struct {
		config string
		// late configurations fail only when they start.
		late bool
	}{
		"nonsense":           {config: "{ edgeauth {", late: false},
		"an unknown option":  {config: strings.Replace(good, "insecure_debug_links", "insecure_debug_link", 1)},
		"a bad link":         {config: strings.Replace(good, "{token}", "token", 1)},
		"a missing variable": {config: strings.Replace(good, "env.WEB_CLIENT_KEY", "env.NOT_SET", 1)},
		"a missing realm":    {config: strings.Replace(good, "token_auth {", "token_auth {\n\t\trealm other", 1)},
		"a taken port": {late: true, config: good + fmt.Sprintf(
			"\nhttp://127.0.0.1:%d {\n\tbind 127.0.0.1\n\trespond hello\n}\n", taken.Addr().(*net.TCPAddr).Port)},
		"no place to store": {late: true, config: strings.Replace(good, "insecure_debug_links",
			"insecure_debug_links\n\t\tstorage bolt /dev/null/nowhere.db", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			link := s.requestLink(t, "steady@example.com")
			s.Configure(t, c.config)
			if err := s.Validate(t); (err == nil) != c.late {
				t.Errorf("validate: %v", err)
			}
			err := s.Reload(t)
			if err == nil {
				t.Fatal("the configuration was accepted")
			}
			if found := s.secrets.FoundIn(err.Error()); len(found) > 0 {
				t.Errorf("the error holds %v", found)
			}
			s.get(t, "/whoami", l.token).must(t, http.StatusOK)
			isRefused(t, "a token that ended", s.get(t, "/whoami", ended), bodyInvalid)
			s.loggedIn(t, s.spendLink(t, link))
		})
	}
	s.Configure(t, good)
	if err := s.Reload(t); err != nil {
		t.Errorf("the good configuration afterwards: %v", err)
	}
}

// TestValidateWhileRunning checks that validating a configuration neither waits for
// the files of the running server nor disturbs it.
func TestValidateWhileRunning(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, []string{"storage bolt {env.HOME}/auth.db"})})
	l := s.logIn(t, "valid@example.com")
	if err := s.Validate(t); err != nil {
		t.Error(err)
	}
	s.get(t, "/whoami", l.token).must(t, http.StatusOK)
	s.logIn(t, "valid@example.com")
}
