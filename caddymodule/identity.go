package caddymodule

import (
	"net/http"
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
	// claims is nil for an anonymous request.
	claims *gate.Claims
	// authorization is the client's header, which a gate removes from the request.
	authorization []string
	// header has the identity headers that the last gate set.
	header identityHeader
	// replacer has the placeholders, or is nil.
	replacer *caddy.Replacer
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
		return &requestIdentity{authorization: r.Header["Authorization"]}
	}
	if known, ok := vars[identityVar].(*requestIdentity); ok {
		return known
	}
	v := &requestIdentity{authorization: r.Header["Authorization"]}
	vars[identityVar] = v
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		v.replacer = replacer
		replacer.Map(v.placeholder)
	}
	v.forget()
	return v
}

// forget makes the request anonymous until a gate identifies it. It deletes
// placeholders of the same name that an earlier handler may have set, because those
// would take precedence.
func (v *requestIdentity) forget() {
	v.claims = nil
	if v.replacer != nil {
		v.replacer.DeleteByPrefix(userPrefix)
	}
}

func (v *requestIdentity) placeholder(key string) (any, bool) {
	field, found := strings.CutPrefix(key, userPrefix)
	if !found {
		return nil, false
	}
	value, _ := gate.Field(v.claims, field)
	return value, true
}
