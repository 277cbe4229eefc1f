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
// handler, for combination with its other providers. Without a combination,
// `token_auth` is the better choice: `authentication` answers with an empty 401, tries
// its providers in no particular order, and if there are several, treats a token that
// cannot be checked now (503) as invalid. This provider sets no identity headers,
// exempts no CORS preflight and leaves the token in the request. If another provider
// is asked first and accepts the request, this one is not asked, and identity headers
// of the client stay. If an upstream reads those, put `token_auth` with `optional`,
// `headers off` and `forward_token` in front of it.
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

// Authenticate returns the user of a valid token. If a token cannot be checked, it
// answers 503 and returns an error. That is the response if this is the only
// provider; otherwise Caddy drops it and asks the next one.
func (a *Authenticator) Authenticate(w http.ResponseWriter, r *http.Request) (caddyauth.User, bool, error) {
	var site gate.Site
	cleanRequest(&site, r)
	live, err := a.realm.serving(r.Context())
	if err != nil {
		a.realm.gate.count(gate.ReasonUnavailable)
		return a.unavailable(w, err)
	}
	site.Policy.Require = live.Require()
	decision := live.Decide(&site, gate.Request{
		Header: gate.Header(r.Header), Now: live.Now(),
	})
	a.realm.gate.count(decision.Reason)
	a.realm.traceGate(r.Context(), decision.Reason)
	if decision.Status == http.StatusServiceUnavailable {
		return a.unavailable(w, decision.Err)
	}
	if decision.Claims == nil {
		return caddyauth.User{}, false, nil
	}
	user := caddyauth.User{ID: decision.Claims.Subject, Metadata: map[string]string{}}
	for _, field := range []string{
		"email", "email_domain", "email_verified", "name", "method",
		"amr", "acr", "client", "session", "issued_at", "expires_at", "auth_time",
	} {
		user.Metadata[field], _ = gate.Field(decision.Claims, field)
	}
	return user, true, nil
}

// unavailable answers 503. Caddy then answers 401 regardless; Content-Length keeps the
// output of the site's error routes out of the body.
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
