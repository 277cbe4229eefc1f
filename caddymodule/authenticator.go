package caddymodule

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

func init() {
	caddy.RegisterModule(new(Authenticator))
}

// Authenticator checks the token of a realm for Caddy's own `authentication`
// handler, to be combined with other providers there. Where it need not be
// combined, `token_auth` is the better choice: `authentication` answers with an
// empty 401, tries its providers in no particular order, and where there are
// several takes a token that cannot be judged now (503) for a wrong one; this provider sets no identity headers,
// exempts no CORS preflight and leaves the token in the request. When another
// provider is asked first and says yes, this one is not asked at all: what the
// client sent as identity headers then stays. Where an upstream reads those, put
// `token_auth` with `optional`, `headers off` and `forward_token` before it.
type Authenticator struct {
	// The name of the realm. Default: the default realm.
	Realm string `json:"realm,omitempty"`

	realm *Realm
}

// CaddyModule returns the Caddy module information.
func (*Authenticator) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.authentication.providers.edgeauth",
		New: func() caddy.Module { return new(Authenticator) },
	}
}

// Provision finds the realm.
func (a *Authenticator) Provision(ctx caddy.Context) (err error) {
	if a.realm, err = findRealm(ctx, a.Realm); err != nil {
		return fmt.Errorf("authentication: %w", err)
	}
	return nil
}

// Authenticate returns the user of a good token. When a token cannot be judged it
// answers 503 and returns an error: where this is the only provider that is the
// answer, where there are more Caddy drops it and asks the next one.
func (a *Authenticator) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	stripIdentity(r)
	live, err := a.realm.serving(r.Context())
	if err != nil {
		a.realm.gate.count(gate.ReasonUnavailable)
		return a.unavailable(w, err)
	}
	var site gate.Site
	decision := live.Decide(&site, gate.Request{
		Authorization: r.Header["Authorization"], Now: live.Now(),
	})
	a.realm.gate.count(decision.Reason)
	if decision.Status == http.StatusServiceUnavailable {
		return a.unavailable(w, decision.Err)
	}
	if decision.Claims == nil {
		return caddyauth.User{}, false, nil
	}
	user := caddyauth.User{ID: decision.Claims.Subject, Metadata: map[string]string{}}
	for _, field := range []string{
		"email", "email_domain", "email_verified", "name", "method",
		"client", "session", "issued_at", "expires_at", "auth_time",
	} {
		user.Metadata[field], _ = gate.Field(decision.Claims, field)
	}
	return user, true, nil
}

// unavailable answers 503. Caddy goes on with a 401 nonetheless; the length keeps
// what the site's error routes say about that out of the body.
func (a *Authenticator) unavailable(w http.ResponseWriter, err error) (caddyauth.User, bool, error) {
	w.Header().Set("Content-Length", strconv.Itoa(len(gate.BodyUnavailable)))
	writeUnavailable(w, err)
	return caddyauth.User{}, false, err
}

// Interface guards.
var (
	_ caddy.Provisioner       = (*Authenticator)(nil)
	_ caddyauth.Authenticator = (*Authenticator)(nil)
)
