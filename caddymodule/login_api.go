package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

func init() {
	caddy.RegisterModule(new(LoginAPI))
}

// LoginAPI is a handler that serves the login API of a realm below a prefix. Requests for
// other paths are passed to the next handler.
//
// Limits apply to the address of the client behind Caddy's `trusted_proxies`; without
// that option, to the peer of the connection.
type LoginAPI struct {
	// The path below which the API is served. Default: `/v1/auth`.
	Prefix string `json:"prefix,omitempty" option:"-"`
	// The name of the realm. Default: the default realm.
	Realm string `json:"realm,omitempty"`
	// Serve the public keys at `/.well-known/jwks.json` at the root of the site, too.
	// Default: false, the path belongs to the application.
	RootJWKS bool `json:"root_jwks,omitempty"`
	CredentialOptions

	realm *Realm
	// credentials are those of verify.
	credentials gate.Credentials
	// paths knows what belongs to the API; it has no service.
	paths *httpapi.Handler

	mu   sync.Mutex
	live *liveRealm
	api  *httpapi.Handler
}

// CaddyModule returns the Caddy module information.
func (*LoginAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.login_api", New: func() caddy.Module { return new(LoginAPI) }}
}

// parseLoginAPI sets the handler up from Caddyfile tokens. Syntax:
//
//	login_api [<prefix>] {
//		realm      <name>
//		root_jwks
//		keys       off|on|only
//		keys_basic
//		schemes    <Token|Bearer…>
//	}
//
// There is no matcher: the prefix selects the paths.
func parseLoginAPI(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	handler := new(LoginAPI)
	return parsePages(h, handler, &handler.Prefix, &handler.CredentialOptions)
}

// parsePages reads a directive whose only argument, if there is one, is the prefix of
// the paths that the handler serves. further declare options in addition to the handler.
func parsePages(h httpcaddyfile.Helper, handler caddyhttp.MiddlewareHandler, prefix *string, further ...any) ([]httpcaddyfile.ConfigValue, error) {
	h.Next()
	directive := h.Val()
	switch arguments := h.RemainingArgs(); {
	case len(arguments) > 1:
		return nil, h.Errf("%s: expected at most one argument, the prefix", directive)
	case len(arguments) == 1:
		*prefix = arguments[0]
		if err := validatePrefix(*prefix); err != nil {
			return nil, h.Errf("%s: %v", directive, err)
		}
	}
	b := newBlock(h.Dispenser)
	for h.NextBlock(0) {
		if err := b.anyOption(append(further, handler)...); err != nil {
			return nil, err
		}
	}
	return h.NewRoute(nil, handler), nil
}

// validatePrefix refuses prefixes that no path, or every path, begins with.
func validatePrefix(prefix string) error {
	switch {
	case !strings.HasPrefix(prefix, "/"):
		return fmt.Errorf("prefix: %q does not begin with a slash", prefix)
	case strings.ContainsAny(prefix, "*{}?#%\\ ") || path.Clean(prefix) != strings.TrimSuffix(prefix, "/"):
		return fmt.Errorf("prefix: %q must be a plain path such as /v1/auth; everything below it is served, without a matcher", prefix)
	}
	return nil
}

// Provision finds the realm.
func (l *LoginAPI) Provision(ctx caddy.Context) (err error) {
	if l.Prefix != "" {
		if err := validatePrefix(l.Prefix); err != nil {
			return fmt.Errorf("login_api: %w", err)
		}
	}
	if l.realm, err = findRealm(ctx, l.Realm); err != nil {
		return fmt.Errorf("login_api: %w", err)
	}
	if l.credentials, err = l.ofVerify(l.realm); err != nil {
		return fmt.Errorf("login_api: %w", err)
	}
	l.paths = httpapi.New(httpapi.Options{Prefix: l.Prefix, RootJWKS: l.RootJWKS})
	return l.realm.refuseDebugLinks(ctx)
}

// ServeHTTP serves the API's paths.
func (l *LoginAPI) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !l.paths.Owns(r.URL.Path) {
		identity := identityOf(r) // sets the placeholders, also for requests that meet no gate
		identity.loginAPI = true
		if identity.showsLink(l.realm, r) {
			return l.realm.serveLinkPage(w, r, func() error { return next.ServeHTTP(w, r) })
		}
		return next.ServeHTTP(w, r)
	}
	if l.showsPerson(r) {
		skipLog(r)
	}
	hideAddress(r)
	endUnread(w, r)
	return l.realm.serve(w, r, func(live *liveRealm) (routed, error) { return l.handler(live), nil })
}

// showsPerson reports whether the access log would show a client key, which one
// call has in its address, an e-mail address, which the answer of verify has in
// its header, or a code of a provider, which the callback has in both.
func (l *LoginAPI) showsPerson(r *http.Request) bool {
	return r.URL.Query().Has("client_key") || strings.Contains(r.URL.Path+"/", "/verify/") ||
		strings.Contains(r.URL.Path, "/social/callback/") || l.realm.showsLink(r, originalURL(r))
}

// handler returns the API of the realm, which is made once.
func (l *LoginAPI) handler(live *liveRealm) *httpapi.Handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live != live {
		l.live = live
		l.api = httpapi.New(httpapi.Options{
			Realm: live.Realm, Prefix: l.Prefix, RootJWKS: l.RootJWKS, ClientIP: clientIP, Credentials: l.credentials,
			Logger: l.realm.logger, Failed: l.realm.failed,
		})
	}
	return l.api
}

// clientIP returns the address that Caddy found behind the trusted proxies.
func clientIP(r *http.Request) netip.Addr {
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return address
}

// writeUnavailable answers while a realm is not ready.
func writeUnavailable(w http.ResponseWriter, err error) {
	decision := gate.Unavailable(err)
	writeDecision(w, &decision)
}

// writeDecision answers what the gate decided.
func writeDecision(w http.ResponseWriter, decision *gate.Decision) {
	decision.Answer(gate.Header(w.Header()))
	w.WriteHeader(decision.Status)
	// A client that is gone needs no answer.
	_, _ = io.WriteString(w, decision.Body)
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*LoginAPI)(nil)
	_ caddyhttp.MiddlewareHandler = (*LoginAPI)(nil)
)
