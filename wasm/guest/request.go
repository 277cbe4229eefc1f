//go:build wasip1

package main

import (
	"errors"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// proceed is what handle_request returns when the request goes on.
const proceed = 1

var (
	errNotConfigured = errors.New("there is no good configuration")
	errClock         = errors.New("the clock is before the build of the module")
	errHeader        = errors.New("the header cannot be read or changed")
)

// handle does what gate.Site asks of a server.
func (g *guest) handle() (ctxNext uint64) {
	present, err := g.clean()
	if err != nil {
		return refuse(gate.Unavailable(err))
	}
	if g.edge == nil && !g.configure() {
		return refuse(gate.Unavailable(errNotConfigured))
	}
	time, ok := now()
	if !ok {
		return refuse(gate.Unavailable(errClock))
	}
	request := g.request(present)
	request.Now = time
	decision := g.edge.Decide(request)
	if origin, ok := g.edge.AllowedOrigin(&request); ok && decision.Status != 503 && decision.Status != 204 {
		header(kindResponse).Add("Vary", "Origin")
		gate.AllowOrigin(header(kindResponse), origin)
	}
	if decision.Status != 0 {
		return refuse(decision)
	}
	g.edge.Forward(&decision, header(kindRequest))
	return proceed
}

func refuse(d gate.Decision) (ctxNext uint64) {
	answer(&d)
	return 0
}

// present tells which of the headers that matter are in a request, so that the
// host is not asked for the others.
type present struct {
	authorization, connection, upgrade, origin, requestMethod, requestHeaders, contentLength, transferEncoding bool
}

// see notes a header.
func (p *present) see(name string) {
	switch strings.ToLower(name) {
	case "authorization":
		p.authorization = true
	case "connection":
		p.connection = true
	case "upgrade":
		p.upgrade = true
	case "origin":
		p.origin = true
	case "access-control-request-method":
		p.requestMethod = true
	case "access-control-request-headers":
		p.requestHeaders = true
	case "content-length":
		p.contentLength = true
	case "transfer-encoding":
		p.transferEncoding = true
	}
}

// clean deletes from the request everything that an upstream could take for an
// identity header.
func (g *guest) clean() (p present, err error) {
	names, ok := g.buffer.names()
	if !ok {
		return p, errHeader
	}
	deleted := false
	for _, name := range names {
		p.see(name)
		if gate.IsIdentityHeader(name) {
			header(kindRequest).Del(name)
			deleted = true
		}
	}
	if deleted && g.hasIdentity() {
		return p, errHeader
	}
	if p.upgrade {
		if err := g.cleanUpgrade(); err != nil {
			return p, err
		}
	}
	if p.connection {
		return p, g.cleanConnection()
	}
	return p, nil
}

// hasIdentity reports whether an identity header is there, because a host did
// not find it under the name that it told.
func (g *guest) hasIdentity() bool {
	names, ok := g.buffer.names()
	for _, name := range names {
		if gate.IsIdentityHeader(name) {
			return true
		}
	}
	return !ok
}

func (g *guest) cleanUpgrade() error {
	values, _, ok := g.buffer.values("upgrade")
	if !ok {
		return errHeader
	}
	if gate.IsTunnel(values) {
		header(kindRequest).Del("upgrade")
	}
	return nil
}

func (g *guest) cleanConnection() error {
	values, _, ok := g.buffer.values("connection")
	if !ok {
		return errHeader
	}
	switch kept, changed := gate.KeptConnection(values); {
	case changed && kept == "":
		header(kindRequest).Del("connection")
	case changed:
		header(kindRequest).Set("connection", kept)
	}
	return nil
}

// request returns what the decision depends on.
func (g *guest) request(p present) (r gate.Request) {
	r.Path = g.buffer.path()
	r.Method = g.buffer.method()
	if p.authorization {
		r.Authorization = g.authorization()
	}
	if p.origin {
		r.Origin, _, _ = g.buffer.values("origin")
	}
	if !p.origin || !p.requestMethod { // no preflight
		return r
	}
	r.AccessControlRequestMethod, _, _ = g.buffer.values("access-control-request-method")
	if p.requestHeaders {
		r.AccessControlRequestHeaders, _, _ = g.buffer.values("access-control-request-headers")
	}
	r.HasBody = p.transferEncoding
	if p.contentLength {
		length, _, _ := g.buffer.values("content-length")
		r.HasBody = r.HasBody || len(length) != 1 || length[0] != "0"
	}
	return r
}

// authorization returns the values of Authorization. What is too long is not
// fetched; texts that the gate refuses for the same reason stand for it.
func (g *guest) authorization() []string {
	values, count, ok := g.buffer.values("authorization")
	switch {
	case ok:
		return values
	case count > 1:
		return make([]string, count)
	}
	return []string{strings.Repeat("x", gate.MaxAuthorization+1)}
}
