package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// How often the process is killed, how much is answered before each time, and by
// how many clients at once.
const (
	crashes        = 6
	answersBetween = 150
	crashClients   = 4
)

// facts is what was answered with success. Whatever was under way when the
// process was killed may have happened or not, and is no fact.
type facts struct {
	mu      sync.Mutex
	alive   []string          // tokens that must be good
	ended   []string          // tokens that must be refused
	used    []string          // link tokens that must be refused
	pending map[string]string // link token to address: must be good, once
	ids     map[string]string // address to user
	answers atomic.Int64
}

// TestCrash kills the process while people log in and out (CWE-662; the promise
// is that of a database: what was acknowledged is durable).
func TestCrash(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits)})
	known := &facts{pending: map[string]string{}, ids: map[string]string{}}
	for crash := range crashes {
		goal := known.answers.Load() + answersBetween
		var clients sync.WaitGroup
		stop := make(chan struct{})
		for client := range crashClients {
			clients.Go(func() { known.visit(t, s, fmt.Sprintf("crash%d-client%d", crash, client), stop) })
		}
		wait.Until(t, time.Minute, "clients are served", func() bool { return known.answers.Load() >= goal })
		s.Kill(t)
		close(stop)
		clients.Wait()
		s.client.CloseIdleConnections()
		s.Start(t)
		known.mustHold(t, s)
	}
	if len(known.alive) == 0 || len(known.ended) == 0 || len(known.used) == 0 {
		t.Errorf("too little happened: %d, %d, %d", len(known.alive), len(known.ended), len(known.used))
	}
}

// visit logs people in and out until the server is gone.
func (f *facts) visit(t *testing.T, s *site, name string, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		address := fmt.Sprintf("%s-%d@example.com", name, n)
		link, ok := f.ask(t, s, address)
		if !ok {
			return
		}
		if n%4 == 3 {
			f.note(func() { f.pending[link] = address })
			continue
		}
		token, ok := f.enter(t, s, address, link)
		if !ok {
			return
		}
		if n%2 == 0 && !f.leave(t, s, token) {
			return
		}
	}
}

func (f *facts) note(fact func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fact()
	f.answers.Add(1)
}

// call is a request that may find the server gone. Any other failure is one.
func (f *facts) call(t *testing.T, s *site, path string, body map[string]any, want int, headers ...string) (answer, bool) {
	got, err := s.try(t, http.MethodPost, "/v1/auth"+path, jsonType, encode(t, body), headers...)
	if err != nil {
		return answer{}, false
	}
	if got.status != want {
		t.Errorf("%s: got %d %s", path, got.status, got.body)
		return answer{}, false
	}
	return got, true
}

func (f *facts) ask(t *testing.T, s *site, address string) (link string, ok bool) {
	got, ok := f.call(t, s, "/by-link/link/", map[string]any{"email": address}, http.StatusOK)
	if !ok {
		return "", false
	}
	return s.linkToken(t, got.text(t, "_debug_auth_link")), true
}

func (f *facts) enter(t *testing.T, s *site, address, link string) (token string, ok bool) {
	got, ok := f.call(t, s, "/by-link/login/", map[string]any{"token": link, "client_key": clientKey}, http.StatusOK)
	if !ok {
		return "", false
	}
	token = got.text(t, "token")
	f.note(func() {
		f.used, f.alive = append(f.used, link), append(f.alive, token)
		f.ids[address] = got.text(t, "id")
	})
	return token, true
}

func (f *facts) leave(t *testing.T, s *site, token string) bool {
	f.note(func() { f.alive = slices.DeleteFunc(f.alive, func(other string) bool { return other == token }) })
	_, ok := f.call(t, s, "/logout/", map[string]any{}, http.StatusNoContent, "Authorization", "Token "+token)
	if ok {
		f.note(func() { f.ended = append(f.ended, token) })
	}
	return ok
}

// mustHold checks every fact, and spends the links that waited.
func (f *facts) mustHold(t *testing.T, s *site) {
	t.Helper()
	for _, token := range f.alive {
		if got := s.get(t, "/whoami", token); got.status != http.StatusOK {
			t.Errorf("a login was lost: %d %s", got.status, got.body)
		}
	}
	for _, token := range f.ended {
		isRefused(t, "after a logout", s.get(t, "/whoami", token), bodyInvalid)
	}
	for _, link := range f.used {
		s.spendLink(t, link).refused(t, http.StatusBadRequest, "invalid_link")
	}
	for link, address := range f.pending {
		l := s.loggedIn(t, s.spendLink(t, link))
		f.used, f.alive = append(f.used, link), append(f.alive, l.token)
		f.ids[address] = l.id
	}
	clear(f.pending)
	for address, id := range f.ids {
		if got := s.logIn(t, address); got.id != id || got.isNew {
			t.Errorf("a user was lost: was %s, is %v", id, got.user)
		}
		break // any one of them will do
	}
}
