package session

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxSeen limits the number of sessions that are remembered between two writes.
// Later ones are recorded after the next write.
const maxSeen = 50_000

// Seen returns a function that records the use of a session, for the gate's
// verifier. It does not call the store: FlushSeen writes what was recorded.
func (s *Service) Seen() func(claims *gate.Claims, now time.Time) { return s.seen.mark }

// FlushSeen writes the recorded times to the store. After a failure they are kept
// for the next call.
func (s *Service) FlushSeen(ctx context.Context) error {
	times := s.seen.take(s.cfg.Now())
	if len(times) == 0 {
		return nil
	}
	if err := s.cfg.Store.MarkSeen(ctx, times); err != nil {
		s.seen.putBack(times)
		return err
	}
	return nil
}

// keyInterval is the shortest time between two recorded uses of an API key.
const keyInterval = time.Hour

// seen collects the times at which sessions were last used, so that a request
// costs no write.
type seen struct {
	mu    sync.Mutex
	times map[authcore.SessionRef]time.Time
	// keys contains the recorded uses of API keys in the last keyInterval.
	keys map[authcore.SessionRef]time.Time
}

func newSeen() *seen {
	return &seen{times: map[authcore.SessionRef]time.Time{}, keys: map[authcore.SessionRef]time.Time{}}
}

// mark records that a session was used. The gate calls it about once a minute for
// each token.
func (s *seen) mark(claims *gate.Claims, now time.Time) {
	ref := authcore.SessionRef{UserID: claims.Subject, ID: claims.Session}
	s.mu.Lock()
	defer s.mu.Unlock()
	if claims.Method == gate.MethodKey {
		last, known := s.keys[ref]
		if known && now.Sub(last).Abs() < keyInterval || !known && len(s.keys) >= maxSeen {
			return
		}
		s.keys[authcore.SessionRef{UserID: strings.Clone(ref.UserID), ID: strings.Clone(ref.ID)}] = now
	}
	if _, known := s.times[ref]; known || len(s.times) < maxSeen {
		// The claims of a token share one allocation, which must not be retained.
		ref.UserID, ref.ID = strings.Clone(ref.UserID), strings.Clone(ref.ID)
		s.times[ref] = now
	}
}

// putBack keeps times that could not be written.
func (s *seen) putBack(times map[authcore.SessionRef]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, at := range times {
		if newer, known := s.times[ref]; known && newer.After(at) || !known && len(s.times) >= maxSeen {
			continue
		}
		s.times[ref] = at
	}
}

// take returns the recorded times and forgets them.
func (s *seen) take(now time.Time) map[authcore.SessionRef]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times
	for ref, at := range s.keys {
		if now.Sub(at).Abs() >= keyInterval {
			delete(s.keys, ref)
		}
	}
	s.times = map[authcore.SessionRef]time.Time{}
	return times
}
