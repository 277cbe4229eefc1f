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

// The number of kills, the answers before each, and the concurrent clients.
const (
	crashes        = 6
	answersBetween = 150
	crashClients   = 4
)

// facts records successful answers. A request that was pending when the process was
// killed may have taken effect or not, and is not recorded.
type facts struct {
	mu      sync.Mutex
	alive   []string          // tokens that must be accepted
	ended   []string          // tokens that must be refused
	used    []string          // link tokens that must be refused
	pending map[string]string // link token to address: must be accepted once
	ids     map[string]string // address to user
	renewed map[string]string // token to its predecessor
	answers atomic.Int64
}

// TestCrash kills the process while users log in, refresh and log out (CWE-662).
// Once a call has returned 200, its effect survives.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits)})
	known := &facts{pending: map[string]string{}, ids: map[string]string{}, renewed: map[string]string{}}
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

// visit logs users in and out until the server is gone.
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
		if n%3 == 1 {
			if token, ok = f.renew(t, s, token); !ok {
				return
			}
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

// call sends a request. Only a missing server is not a failure of the test.
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

// renew refreshes a token. Both stay valid.
func (f *facts) renew(t *testing.T, s *site, token string) (fresh string, ok bool) {
	got, ok := f.call(t, s, "/token/refresh/", map[string]any{}, http.StatusOK, "Authorization", "Token "+token)
	if !ok {
		return "", false
	}
	fresh = got.text(t, "token")
	f.note(func() { f.alive, f.renewed[fresh] = append(f.alive, fresh), token })
	return fresh, true
}

// leave logs out, which ends the predecessor of the token, too.
func (f *facts) leave(t *testing.T, s *site, token string) bool {
	var before string
	f.note(func() {
		before = f.renewed[token]
		f.alive = slices.DeleteFunc(f.alive, func(other string) bool { return other == token || other == before })
	})
	_, ok := f.call(t, s, "/logout/", map[string]any{}, http.StatusNoContent, "Authorization", "Token "+token)
	if ok {
		f.note(func() {
			if f.ended = append(f.ended, token); before != "" {
				f.ended = append(f.ended, before)
			}
		})
	}
	return ok
}

// mustHold checks every fact and uses the pending links.
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
		break // one of them is enough
	}
}
