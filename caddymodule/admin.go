package caddymodule

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

func init() {
	caddy.RegisterModule(new(Admin))
}

// adminPath is the path of the operators' API on Caddy's admin endpoint.
const adminPath = "/edgeauth"

// Admin adds the operators' API to Caddy's admin endpoint, below /edgeauth/: people with
// their sessions and logins, signing keys, imports. See docs/users.md for its routes.
//
// The query parameter `realm` names a realm other than the default one. The header
// `Edgeauth-Operator` names the operator in the audit trail.
type Admin struct{}

// CaddyModule returns the Caddy module information.
func (*Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.edgeauth", New: func() caddy.Module { return new(Admin) }}
}

// Routes returns the routes of the admin API.
func (*Admin) Routes() []caddy.AdminRoute {
	api := http.StripPrefix(adminPath, adminapi.New(activeRealm))
	return append(healthRoutes(), caddy.AdminRoute{
		Pattern: adminPath + "/",
		Handler: caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			operator := account.ProviderName(r.Header.Get(adminapi.OperatorHeader))
			api.ServeHTTP(w, r.WithContext(authcore.WithOperator(r.Context(), operator, authcore.OperatorEndpoint)))
			return nil
		}),
	})
}

// activeRealm finds the realm of a request in the configuration that serves now, and
// holds it. Admin routers are made before the apps, so that they cannot keep a realm.
func activeRealm(r *http.Request) (*adminapi.Realm, func(), error) {
	loaded, err := caddy.ActiveContext().AppIfConfigured(appName)
	if err != nil {
		return nil, nil, noRealm(errors.New("edgeauth is not configured"))
	}
	app, ok := loaded.(*App)
	if !ok {
		return nil, nil, fmt.Errorf("unexpected app %T", loaded)
	}
	realm, err := app.Realm(r.URL.Query().Get("realm"))
	if err != nil {
		return nil, nil, noRealm(err)
	}
	return realm.adminRealm(r)
}

// adminRealm returns what the operators' API uses of a realm, and holds it.
func (r *Realm) adminRealm(request *http.Request) (*adminapi.Realm, func(), error) {
	live, release, err := r.hold(request.Context())
	if err != nil {
		return nil, nil, err
	}
	shown := &adminapi.Realm{
		Realm: live.Realm, Importer: live.importer, Storage: moduleName(r.storage), Mailer: moduleName(r.mailer),
		Checks: func() []adminapi.Check { return append(r.providers.checks(r.config.Providers), mailCheck(live.mailer)) },
	}
	if storage, ok := r.storage.(StorageBackup); ok {
		shown.Backup = storage.BackupStorage
	}
	return shown, release, nil
}

// noRealm is the error of a request for a realm that is not configured.
func noRealm(err error) error {
	return &authcore.Error{Status: http.StatusNotFound, Code: authcore.CodeNotFound, Detail: err.Error()}
}

// Interface guards.
var (
	_ caddy.Module      = (*Admin)(nil)
	_ caddy.AdminRouter = (*Admin)(nil)
)
