package authcore

import (
	"strings"
	"sync"
	"time"
)

// maxSeen bounds how many sessions are remembered between two writes. What is
// over it is noted after the next one.
const maxSeen = 50_000

// seen collects when sessions were last used, so that a request costs no write:
// what was collected goes to the store once in a while.
type seen struct {
	mu    sync.Mutex
	times map[string]time.Time
}

func newSeen() *seen { return &seen{times: map[string]time.Time{}} }

// mark notes that a session was used. The gate calls it about once a minute
// for each token.
func (s *seen) mark(session string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.times[session]; known || len(s.times) < maxSeen {
		// The text given is a part of a whole token's claims.
		s.times[strings.Clone(session)] = now
	}
}

// putBack keeps what could not be written for the next time.
func (s *seen) putBack(times map[string]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for session, at := range times {
		if newer, known := s.times[session]; known && newer.After(at) || !known && len(s.times) >= maxSeen {
			continue
		}
		s.times[session] = at
	}
}

// take returns what was collected and begins anew.
func (s *seen) take() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times
	s.times = map[string]time.Time{}
	return times
}
