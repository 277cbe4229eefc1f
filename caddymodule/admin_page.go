package caddymodule

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/adminui"
	"github.com/edgeauth/edgeauth/authcore"
)

func init() {
	caddy.RegisterModule(new(AdminPage))
}

const (
	// defaultAdminPrefix is the default of AdminPage.Prefix.
	defaultAdminPrefix = "/admin"
	// defaultAdminRole is the default of AdminPage.Roles.
	defaultAdminRole = "admin"
)

// AdminPage is a handler that serves the page of operators below a prefix: users with
// their sessions, logins and roles, invitations, API keys, the audit trail, webhooks,
// signing keys, settings and health.
//
// It is protected by itself, as by `token_auth { require role admin }`: no other
// directive is needed in front of it. With `login_page` on the same site, operators sign
// in there.
type AdminPage struct {
	// The path below which the page is served. Default: `/admin`.
	Prefix string `json:"prefix,omitempty" option:"-"`
	// The name of the realm. Default: the default realm.
	Realm string `json:"realm,omitempty"`
	// The roles that may use the page, one of which the user must have. Default: `admin`.
	Roles []string `json:"roles,omitempty" option:"role"`
	// The age of the login at most; an older one has to be confirmed. Default: no limit.
	MaxAge caddy.Duration `json:"max_age,omitempty"`

	gate *TokenAuth
	page *adminui.Handler
}

// CaddyModule returns the Caddy module information.
func (*AdminPage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.admin_page", New: func() caddy.Module { return new(AdminPage) }}
}

// Provision sets up the gate and the page.
func (a *AdminPage) Provision(ctx caddy.Context) error {
	if err := a.provision(ctx); err != nil {
		return fmt.Errorf("admin_page: %w", err)
	}
	return nil
}

func (a *AdminPage) provision(ctx caddy.Context) (err error) {
	prefix := a.Prefix
	if prefix == "" {
		prefix = defaultAdminPrefix
	}
	if err := validatePrefix(prefix); err != nil {
		return err
	}
	roles := a.Roles
	if len(roles) == 0 {
		roles = []string{defaultAdminRole}
	}
	a.gate = &TokenAuth{
		Realm: a.Realm, MaxAge: a.MaxAge, NoStore: true,
		Require: []Requirement{{Field: "role", Values: roles}}, Headers: []string{"off"},
	}
	if err := a.gate.Provision(ctx); err != nil {
		return err
	}
	a.page, err = adminui.New(prefix, adminapi.New(a.gate.realm.adminRealm))
	return err
}

// ServeHTTP serves the page, or forwards a request for other paths.
func (a *AdminPage) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !a.page.Serves(r.URL.Path) {
		return next.ServeHTTP(w, r)
	}
	return a.gate.ServeHTTP(w, r, caddyhttp.HandlerFunc(a.serve))
}

// serve answers a request that passed the gate.
func (a *AdminPage) serve(w http.ResponseWriter, r *http.Request) error {
	claims := identityOf(r).decision.Claims
	if claims == nil { // a preflight; the page has one origin
		w.WriteHeader(http.StatusForbidden)
		return nil
	}
	a.page.ServeHTTP(w, r.WithContext(authcore.WithOperator(r.Context(), claims.Subject, authcore.OperatorPage)))
	return nil
}

// parseAdminPage sets the handler up from Caddyfile tokens. Syntax:
//
//	admin_page [<prefix>] {
//		realm   <name>
//		role    <name…>
//		max_age <duration>
//	}
//
// There is no matcher: the prefix selects the paths. role may be repeated.
func parseAdminPage(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	handler := new(AdminPage)
	return parsePages(h, handler, &handler.Prefix)
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*AdminPage)(nil)
	_ caddyhttp.MiddlewareHandler = (*AdminPage)(nil)
)
