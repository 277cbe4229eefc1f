package caddymodule

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// streamInterval is the time between two checks of a response that lasts. Together
// with the second in which a revocation arrives, it bounds the time for which a
// stream outlives its session.
const streamInterval = time.Second

// stream ends a request that lasts longer than its session: an upgraded connection, an
// event stream, a gRPC call, a long download. Short requests are never checked again.
type stream struct {
	auth   *TokenAuth
	w      http.ResponseWriter
	cancel context.CancelFunc
	// authorization and cookies are the credentials of the client, and browser is the
	// login page whose cookie identifies users, or nil.
	authorization, cookies []string
	browser                *gate.Browser

	mu    sync.Mutex
	timer *time.Timer
	done  bool
}

// watch returns the request with a context that ends with the session of its token.
// Call stop of the stream when the request was served.
func (t *TokenAuth) watch(w http.ResponseWriter, r *http.Request, browser *gate.Browser, identity *requestIdentity) (*http.Request, *stream) {
	ctx, cancel := context.WithCancel(r.Context())
	s := &stream{auth: t, w: w, cancel: cancel, authorization: identity.token, cookies: identity.cookies, browser: browser}
	s.mu.Lock()
	s.timer = time.AfterFunc(streamInterval, s.check)
	s.mu.Unlock()
	return r.WithContext(ctx), s
}

func (s *stream) stop() {
	s.mu.Lock()
	s.done = true
	s.timer.Stop()
	s.mu.Unlock()
	s.cancel()
}

// check decides about the token again. A store that is down ends no stream.
func (s *stream) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	if s.ended() {
		s.end()
		return
	}
	s.timer.Reset(streamInterval)
}

func (s *stream) ended() bool {
	live := s.auth.realm.current()
	if live == nil {
		return false // between two configurations
	}
	site := gate.Site{Policy: s.auth.site.Policy, Browser: s.browser}
	header := gate.Header{"Authorization": s.authorization, "Cookie": s.cookies}
	decision := live.Decide(&site, gate.Request{Method: http.MethodGet, Header: header, Now: live.Now()})
	return decision.Claims == nil && decision.Status != http.StatusServiceUnavailable
}

// end cancels the request. reverse_proxy ignores that with flush_interval -1, so that
// reading from the client and writing to it fail as well.
func (s *stream) end() {
	s.cancel()
	control, past := http.NewResponseController(s.w), time.Unix(1, 0)
	_ = control.SetReadDeadline(past) // a writer without deadlines ends by its context
	_ = control.SetWriteDeadline(past)
}
