package sessiontest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// The size of the scenario of SharedToken.
const (
	clients   = 6
	requests  = 20 // of each client
	refreshes = 20 // in all
)

// SharedToken checks on a storage engine that no request is refused wrongly while
// several clients share the token of one session and refresh it: browser tabs on
// two nodes. The store may be used by other tests.
func SharedToken(t *testing.T, store authcore.Store) {
	t.Helper()
	for name, scenario := range map[string]struct {
		// together reports that the clients keep the token in one place.
		together bool
		// lost is the number of refreshes of which the answer is lost.
		lost int
		// pause moves the clock between rounds.
		pause time.Duration
	}{
		"one storage":               {together: true, pause: time.Minute},
		"one storage, lost answers": {together: true, lost: 10, pause: 2 * time.Second},
		"a copy each":               {pause: time.Second},
		"a copy each, lost answers": {lost: 10, pause: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			nodes := []*Node{NewNode(t, store, clock, nil), NewNode(t, store, clock, nil)}
			grant := nodes[0].Login(fmt.Sprintf("shared-%d@example.com", time.Now().UnixNano()), nil)
			s := &shared{t: t, nodes: nodes, lost: scenario.lost, tokens: make([]string, clients), expires: make([]time.Time, clients)}
			for i := range s.tokens {
				s.tokens[i], s.expires[i] = grant.Token, grant.ExpiresAt()
			}
			for round := range requests {
				var group sync.WaitGroup
				for client := range clients {
					group.Go(func() { s.request(round, client, scenario.together) })
				}
				group.Wait()
				clock.Advance(scenario.pause)
			}
			s.check(grant)
		})
	}
}

// shared is the state of the clients.
type shared struct {
	t     *testing.T
	nodes []*Node

	mu       sync.Mutex
	tokens   []string    // of each client
	expires  []time.Time // of the tokens
	lost     int
	accepted int
	issued   map[string]bool
}

// request makes one request of a client, or a refresh.
func (s *shared) request(round, client int, together bool) {
	node := s.nodes[(round+client)%len(s.nodes)]
	s.mu.Lock()
	token := s.tokens[client]
	s.mu.Unlock()
	claims, err := node.Verify(token)
	if err != nil {
		s.t.Errorf("round %d: request of client %d was refused: %v", round, client, err)
		return
	}
	s.mu.Lock()
	s.accepted++
	s.mu.Unlock()
	if !refreshing(round, client) {
		return
	}
	grant, err := node.Refresh(s.t.Context(), claims)
	if err != nil {
		s.t.Errorf("round %d: refresh of client %d failed: %v", round, client, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issued == nil {
		s.issued = map[string]bool{}
	}
	s.issued[grant.Session.Token.ID] = true
	if s.lost > 0 {
		s.lost--
		return
	}
	for i := range s.tokens {
		// A late answer must not replace a newer token.
		if (i == client || together) && grant.ExpiresAt().After(s.expires[i]) {
			s.tokens[i], s.expires[i] = grant.Token, grant.ExpiresAt()
		}
	}
}

// refreshing reports whether a client refreshes in a round. All clients do so at
// the same time in some rounds.
func refreshing(round, client int) bool {
	return round%clients == 2 || round == requests-1 && client < refreshes-3*clients
}

// check compares the result of the scenario.
func (s *shared) check(begun session.Grant) {
	s.t.Helper()
	if want := clients * requests; s.accepted != want {
		s.t.Errorf("%d requests were accepted, want %d", s.accepted, want)
	}
	if n := len(s.issued); n == 0 || n > refreshes {
		s.t.Errorf("%d tokens were issued, want 1 to %d", n, refreshes)
	}
	if _, err := s.nodes[1].Verify(begun.Token); err != nil {
		s.t.Errorf("the first token was refused after refreshes: %v", err)
	}
	sessions := s.nodes[0].Account(s.t.Context(), begun.User.ID).Sessions
	if len(sessions) != 1 || sessions[0].ID != begun.Session.ID {
		s.t.Errorf("the user has %d sessions, want the one that began", len(sessions))
	}
}
