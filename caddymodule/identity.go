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
	// identityVar is the request variable that they are computed from.
	identityVar = "edgeauth"
)

// identity is what the gate knows about a request. A request can pass several
// gates, each of which asks for more; the last one decides who it is.
type requestIdentity struct {
	// claims is nil for nobody.
	claims *gate.Claims
	// authorization is what the client sent, which a gate takes out of the
	// request.
	authorization []string
	// header has the identity headers that the last gate set.
	header identityHeader
	// replacer has the placeholders; nil where there are none.
	replacer *caddy.Replacer
}

// String keeps the placeholder of the variable from showing the token.
func (*requestIdentity) String() string { return "" }

// identityOf returns what is known about a request, and at the first call makes
// its placeholders. A placeholder is computed when it is read. Every name below
// the prefix is known and is "" when there is no value: Caddy passes an unknown
// placeholder on to upstreams as its literal text.
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

// forget makes the identity nobody, until a gate knows better. An earlier handler
// may have set the same placeholders for somebody else, and those would come
// first.
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
