package caddymodule

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

const (
	// userPrefix begins the placeholders about the user of a request.
	userPrefix = "http.auth.user."
	// identityVar is the request variable from which they are computed.
	identityVar = "edgeauth"
)

// requestIdentity is the identity of a request as far as the gate determined it. A
// request can pass several gates with growing requirements; the last one decides.
type requestIdentity struct {
	// decision is that of the last gate. Its claims are nil for an anonymous request,
	// and the request's header may refer to it.
	decision gate.Decision
	// token and cookies are the Authorization and Cookie headers that the last gate
	// received.
	token, cookies []string
	// stream is that of the first gate while the request is served.
	stream stream
	// replacer has the placeholders, or is nil.
	replacer *caddy.Replacer
	// written is the request target as the client wrote it, and writtenURL is it parsed,
	// or nil.
	written    string
	writtenURL *url.URL
	// loginPage is the login page of the site, or nil. loginAPI is set if the request has
	// passed a login API.
	loginPage *LoginPage
	loginAPI  bool
	// log is the result of showsLink.
	log linkInLog
}

// linkInLog tells whether the log of a request with an address shows a link of a realm.
type linkInLog struct {
	realm       *Realm
	path, query string
	shown       bool
}

// showsLink is like Realm.showsLink. A login API and a gate behind it ask once, unless a
// handler between them has changed the address.
func (v *requestIdentity) showsLink(realm *Realm, r *http.Request) bool {
	if v.log.realm != realm || v.log.path != r.URL.Path || v.log.query != r.URL.RawQuery {
		v.log = linkInLog{realm, r.URL.Path, r.URL.RawQuery, realm.showsLink(r, v.writtenURL)}
	}
	return v.log.shown
}

// String keeps the placeholder of the variable from showing the token.
func (*requestIdentity) String() string { return "" }

// identityOf returns the identity of a request. The first call registers the
// placeholders, which are computed when they are read. Every name with the prefix is
// known and is "" without a value: Caddy would forward an unknown placeholder to
// upstreams as its literal text.
func identityOf(r *http.Request) *requestIdentity {
	vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	if !ok {
		return new(requestIdentity)
	}
	if known, ok := vars[identityVar].(*requestIdentity); ok {
		return known
	}
	v := new(requestIdentity)
	vars[identityVar] = v
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		v.written, v.writtenURL = original.RequestURI, original.URL
	}
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		v.replacer = replacer
		replacer.Map(v.placeholder)
	}
	return v
}

// forget makes the request anonymous until a gate identifies it. It deletes
// placeholders of the same name that an earlier handler may have set, because those
// would take precedence.
func (v *requestIdentity) forget() {
	v.decision = gate.Decision{}
	if v.replacer != nil {
		v.replacer.DeleteByPrefix(userPrefix)
	}
}

// restore puts back the credentials that an earlier gate removed, so that each gate can
// decide.
func (v *requestIdentity) restore(r *http.Request) {
	if v.token != nil && r.Header["Authorization"] == nil {
		r.Header["Authorization"] = v.token
	}
	if v.cookies != nil {
		r.Header["Cookie"] = v.cookies
	}
}

func (v *requestIdentity) placeholder(key string) (any, bool) {
	field, found := strings.CutPrefix(key, userPrefix)
	if !found {
		return nil, false
	}
	value, _ := gate.Field(v.decision.Claims, field)
	return value, true
}
