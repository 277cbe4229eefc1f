package caddymodule

import (
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// streamInterval is the time between two checks of a response that lasts. Together
// with the second in which a revocation arrives, it bounds the time for which a
// stream outlives its session.
const streamInterval = time.Second

// stream is a request that is being served. If it lasts longer than its session, it
// ends: an upgraded connection, an event stream, a gRPC call, a long download.
type stream struct {
	auth *TokenAuth
	// writer is the one that the handlers behind the gate got.
	writer completingWriter
	// authorization and cookies are the credentials of the client, and browser is the
	// login page whose cookie identifies users, or nil.
	authorization, cookies []string
	browser                *gate.Browser
	// path is that of the request if the site has public paths.
	path string

	// round is the value of streams.round when the request began.
	round          uint64
	previous, next *stream
}

// streams are the requests with an identity that are being served. Registering one
// allocates nothing; one timer for all of them runs while there are any.
type streams struct {
	mu    sync.Mutex
	first *stream
	round uint64
	timer *time.Timer
	// running reports that the timer will call check.
	running bool
}

// begin prepares the stream of a request.
func (s *stream) begin(t *TokenAuth, w http.ResponseWriter, browser *gate.Browser, path string, identity *requestIdentity) {
	s.auth, s.browser, s.authorization, s.cookies = t, browser, identity.token, identity.cookies
	s.path = path
	s.writer.ResponseWriter, s.writer.decision, s.writer.noStore = w, &identity.decision, t.NoStore
	s.writer.done = false
}

// add registers a request. The caller removes it when the request was served.
func (s *streams) add(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.round, one.previous, one.next = s.round, nil, s.first
	if s.first != nil {
		s.first.previous = one
	}
	s.first = one
	if s.running {
		return
	}
	s.running = true
	if s.timer == nil {
		s.timer = time.AfterFunc(streamInterval, s.check)
	} else {
		s.timer.Reset(streamInterval)
	}
}

func (s *streams) remove(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.previous == nil {
		s.first = one.next
	} else {
		one.previous.next = one.next
	}
	if one.next != nil {
		one.next.previous = one.previous
	}
	one.auth, one.previous, one.next = nil, nil, nil
}

// check decides again about the requests that have lasted for a round, and ends those
// whose session has ended. The server's writer is used under the lock only: later it
// may belong to another request.
func (s *streams) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := s.first; one != nil; one = one.next {
		if one.round != s.round && one.ended() {
			one.end()
		}
	}
	s.round++
	s.running = s.first != nil
	if s.running {
		s.timer.Reset(streamInterval)
	}
}

// ended reports whether the token of the request is not accepted any more, or its user
// has lost the role that the site requires. The other requirements were met at the
// beginning. A store that is down ends no stream.
func (s *stream) ended() bool {
	live := s.auth.realm.current()
	if live == nil {
		return false // between two configurations
	}
	site := gate.Site{
		Policy: gate.Policy{Require: s.auth.roles}, Credentials: s.auth.site.Credentials, Public: s.auth.site.Public, Browser: s.browser,
	}
	header := gate.Header{"Authorization": s.authorization, "Cookie": s.cookies}
	decision := live.Decide(&site, gate.Request{Method: http.MethodGet, Path: s.path, Header: header, Now: live.Now()})
	return decision.Claims == nil && decision.Status != http.StatusServiceUnavailable
}

// end makes reading from the client and writing to it fail, also on an upgraded
// connection. The server then cancels the context of the request. The deadlines are those
// of the server's own writer: wrappers of Caddy are for one goroutine.
func (s *stream) end() {
	s.writer.ended.Store(true)
	w := s.writer.ResponseWriter
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = wrapper.Unwrap()
	}
	control, past := http.NewResponseController(w), time.Unix(1, 0)
	_ = control.SetReadDeadline(past) // a writer without deadlines ends at the next write
	_ = control.SetWriteDeadline(past)
}
