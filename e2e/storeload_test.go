package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// storeLoad sends requests to two nodes while their store fails. It records the
// answers and the facts that must hold afterwards.
type storeLoad struct {
	p       *pair
	round   int
	alive   []string // earlier tokens that must stay valid
	revoked string   // an earlier token that must stay refused

	stop    chan struct{}
	clients sync.WaitGroup

	mu sync.Mutex
	tally
	// facts of this round: successful answers.
	tokens, ended, used []string
	// unsure are links whose login was answered with 503.
	unsure []string
}

// enoughLinks is the number of failed logins of which one link must be usable again.
const enoughLinks = 5

// tally is a row of the table.
type tally struct {
	// served counts proxied requests with a known token that were answered with 200;
	// slowest is the longest of them.
	served  int
	slowest time.Duration
	// Logins and logouts: successes, answers 503, and the longest duration.
	done, unavailable int
	longest           time.Duration
	// wrong401 and wrong200 count forbidden answers, other counts unexpected ones.
	wrong401, wrong200, other int
	right401                  int
	faults                    []string
}

// newStoreLoad logs users in before the fault.
func newStoreLoad(t *testing.T, p *pair, round int) *storeLoad {
	t.Helper()
	l := &storeLoad{p: p, round: round, stop: make(chan struct{})}
	for i := range 4 {
		l.alive = append(l.alive, p.both[i%2].logIn(t, fmt.Sprintf("resident%d@example.com", i)).token)
	}
	gone := p.a.logIn(t, "gone@example.com")
	p.a.logOut(t, gone.token)
	l.revoked = gone.token
	for _, s := range p.both { // both nodes know them
		s.refusedAfter(t, l.revoked, time.Now(), logoutBound+logoutSlack)
		for _, token := range l.alive {
			s.get(t, "/whoami", token).must(t, http.StatusOK)
		}
	}
	return l
}

// begin starts the clients: for each node one proxied client and two that log in.
func (l *storeLoad) begin(t *testing.T) {
	for node, s := range l.p.both {
		l.clients.Go(func() { l.visit(t, s) })
		for client := range 2 {
			l.clients.Go(func() { l.live(t, s, fmt.Sprintf("r%d-n%d-c%d", l.round, node, client)) })
		}
	}
}

// end stops them.
func (l *storeLoad) end() {
	close(l.stop)
	l.clients.Wait()
}

func (l *storeLoad) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// visit sends proxied requests with earlier tokens.
func (l *storeLoad) visit(t *testing.T, s *site) {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for n := 0; !l.stopped(); n++ {
		began := time.Now()
		token, want := l.alive[n%len(l.alive)], http.StatusOK
		if n%5 == 4 {
			token, want = l.revoked, http.StatusUnauthorized
		}
		status, err := s.status(t, token)
		l.mu.Lock()
		switch {
		case err != nil:
			l.odd("a proxied request: %v", err)
		case status == want && want == http.StatusOK:
			l.served++
			l.slowest = max(l.slowest, time.Since(began))
		case status == want:
			l.right401++
		case status == http.StatusOK:
			l.wrong200++
		case status == http.StatusUnauthorized:
			l.wrong401++
		default:
			l.odd("a proxied request: %d", status)
		}
		l.mu.Unlock()
		<-pause.C
	}
}

// odd records an unexpected answer.
func (l *storeLoad) odd(format string, args ...any) {
	l.other++
	l.remark(format, args...)
}

func (l *storeLoad) remark(format string, args ...any) {
	if len(l.faults) < 5 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// live logs in, sends a request, and logs out every other time, repeatedly.
func (l *storeLoad) live(t *testing.T, s *site, name string) {
	failures := 0 // the address of a failed login gets no other link
	for n := 0; !l.stopped(); n++ {
		asked, ok := l.call(t, s, "/by-link/link/", http.StatusOK, map[string]any{"email": fmt.Sprintf("%s-%d-%d@example.com", name, failures, n%20)})
		if !ok {
			continue
		}
		link := strings.TrimPrefix(asked.text(t, "_debug_auth_link"), linkPrefix)
		spent, ok := l.call(t, s, "/by-link/login/", http.StatusOK, map[string]any{"token": link, "client_key": clientKey})
		if !ok {
			l.note(func() { l.unsure = append(l.unsure, link) })
			failures++
			continue
		}
		token := spent.text(t, "token")
		if n == 0 { // one of them is enough to be searched for in long logs
			s.secrets.Add("link token", link)
			s.secrets.Add("token", token)
		}
		if status, err := s.status(t, token); err != nil || status != http.StatusOK {
			l.wrong(status, "a fresh token: %d %v", status, err)
		}
		if n%2 == 0 {
			l.note(func() { l.used, l.tokens = append(l.used, link), append(l.tokens, token) })
			continue
		}
		if _, ok := l.call(t, s, "/logout/", http.StatusNoContent, map[string]any{}, "Authorization", "Token "+token); !ok {
			l.note(func() { l.used = append(l.used, link) })
			continue // it may have ended or not
		}
		l.note(func() { l.used, l.ended = append(l.used, link), append(l.ended, token) })
		if status, err := s.status(t, token); err != nil || status != http.StatusUnauthorized {
			l.wrong(status, "a token that was ended here: %d %v", status, err)
		}
	}
}

func (l *storeLoad) note(fact func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fact()
}

func (l *storeLoad) wrong(status int, format string, args ...any) {
	l.note(func() {
		switch status {
		case http.StatusOK:
			l.wrong200++
		case http.StatusUnauthorized:
			l.wrong401++
		default:
			l.other++
		}
		l.remark(format, args...)
	})
}

// call sends a step of a login or a logout and counts the answer. Only success and
// 503 with Retry-After are expected.
func (l *storeLoad) call(t *testing.T, s *site, path string, want int, body map[string]any, headers ...string) (answer, bool) {
	began := time.Now()
	got, err := s.try(t, http.MethodPost, "/v1/auth"+path, jsonType, encode(t, body), headers...)
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, took)
	switch {
	case err != nil:
		l.odd("%s: %v", path, err)
	case got.status == want:
		l.done++
		return got, true
	case got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") != "":
		l.unavailable++
	case got.status == http.StatusUnauthorized:
		l.wrong401++
		l.remark("%s: 401 %s", path, got.body)
	default:
		l.odd("%s: %d %s", path, got.status, got.body)
	}
	return got, false
}

// mustHold checks after the fault the facts from before and during it. A link whose
// login failed can be used again, unless the login took effect and only its answer
// was lost.
func (l *storeLoad) mustHold(t *testing.T) {
	t.Helper()
	since := time.Now() // the last logouts were a moment ago
	for _, s := range l.p.both {
		for _, token := range append(l.alive, l.tokens...) {
			if status, err := s.status(t, token); status != http.StatusOK {
				l.wrong(status, "an acknowledged login: %d %v", status, err)
			}
		}
		for _, token := range append(l.ended, l.revoked) {
			status, err := s.status(t, token)
			for err == nil && status == http.StatusOK && time.Since(since) < logoutBound+logoutSlack {
				status, err = s.status(t, token)
			}
			if status != http.StatusUnauthorized {
				l.wrong(status, "an acknowledged logout: %d %v", status, err)
			}
		}
	}
	usable := 0
	for i, link := range l.unsure {
		switch got := l.p.both[i%2].spendLink(t, link); got.status {
		case http.StatusOK:
			usable++
		case http.StatusBadRequest:
		default:
			l.wrong(got.status, "a link after a 503: %d %s", got.status, got.body)
		}
	}
	if len(l.unsure) > 0 {
		t.Logf("%d of %d links are usable after a 503", usable, len(l.unsure))
	}
	if len(l.unsure) >= enoughLinks && usable == 0 {
		t.Errorf("none of %d links is usable after a 503, want most of them", len(l.unsure))
	}
	for i, link := range l.used {
		got := l.p.both[i%2].spendLink(t, link)
		if got.status == http.StatusOK {
			l.wrong(got.status, "a used link")
		} else if got.status != http.StatusBadRequest {
			l.wrong(got.status, "a used link: %d %s", got.status, got.body)
		}
	}
}
