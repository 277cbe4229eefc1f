package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
)

func init() {
	caddy.RegisterModule(new(Admin))
}

// adminPrefix is where the admin API of this module begins.
const adminPrefix = "/edgeauth/"

// maxAdminBody bounds what is read of a request or an answer, in bytes.
const maxAdminBody = 1 << 20

// Admin adds operations on users to Caddy's admin API:
//
//	POST   /edgeauth/lookup              show the user with the address {"email"}
//	GET    /edgeauth/users/<id>          show
//	POST   /edgeauth/users/<id>/disable  end all sessions, refuse new ones
//	POST   /edgeauth/users/<id>/enable   let in again
//	DELETE /edgeauth/users/<id>          remove with everything
//	POST   /edgeauth/import              store users of another system
//	GET    /edgeauth/keys                list the signing keys
//	POST   /edgeauth/keys/rotate         let the published successor sign now
//	DELETE /edgeauth/keys/<id>           revoke a key; without an ID, all keys
//
// The query parameter `realm` names a realm other than the default one. Users
// are looked up by a body because Caddy logs the addresses of admin requests.
type Admin struct{}

// CaddyModule returns the Caddy module information.
func (*Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.edgeauth", New: func() caddy.Module { return new(Admin) }}
}

// Routes returns the routes of the admin API.
func (a *Admin) Routes() []caddy.AdminRoute {
	router := http.NewServeMux()
	handle := func(pattern string, operation userOperation) {
		router.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveUser(w, r, operation) })
	}
	handle("POST "+adminPrefix+"lookup", showUser)
	handle("GET "+adminPrefix+"users/{user}", showUser)
	handle("DELETE "+adminPrefix+"users/{user}", deleteUser)
	handle("POST "+adminPrefix+"users/{user}/disable", disableUser)
	handle("POST "+adminPrefix+"users/{user}/enable", enableUser)
	router.HandleFunc("POST "+adminPrefix+"import", serveImport)
	router.HandleFunc("GET "+adminPrefix+"keys", serveKeys)
	router.HandleFunc("POST "+adminPrefix+"keys/rotate", serveRotation)
	router.HandleFunc("DELETE "+adminPrefix+"keys", serveKeyRevocation)
	router.HandleFunc("DELETE "+adminPrefix+"keys/{key}", serveKeyRevocation)
	return []caddy.AdminRoute{{
		Pattern: adminPrefix,
		Handler: caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			router.ServeHTTP(w, r)
			return nil
		}),
	}}
}

// userOperation operates on a user and returns the result, or nil if the user was
// deleted.
type userOperation func(r *http.Request, live *liveRealm, user authcore.User) (*authcore.User, error)

func showUser(r *http.Request, live *liveRealm, user authcore.User) (*authcore.User, error) {
	user, err := live.Accounts.Find(r.Context(), user.ID)
	return &user, err
}

func disableUser(r *http.Request, live *liveRealm, user authcore.User) (*authcore.User, error) {
	user, err := live.Accounts.Disable(r.Context(), user.ID)
	return &user, err
}

func enableUser(r *http.Request, live *liveRealm, user authcore.User) (*authcore.User, error) {
	user, err := live.Accounts.Enable(r.Context(), user.ID)
	return &user, err
}

func deleteUser(r *http.Request, live *liveRealm, user authcore.User) (*authcore.User, error) {
	return nil, live.Accounts.Delete(r.Context(), user.ID)
}

func serveUser(w http.ResponseWriter, r *http.Request, operation userOperation) {
	user, err := operateOnUser(r, operation)
	switch {
	case err != nil:
		answerAdmin(w, adminStatus(err), map[string]string{"error": err.Error()})
	case user == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		answerAdmin(w, http.StatusOK, adminUser(*user))
	}
}

func operateOnUser(r *http.Request, operation userOperation) (*authcore.User, error) {
	live, release, err := activeRealm(r)
	if err != nil {
		return nil, err
	}
	defer release()
	name := r.PathValue("user")
	if name == "" {
		var lookup struct {
			Email string `json:"email"`
		}
		if err := json.NewDecoder(io.LimitReader(r.Body, maxAdminBody)).Decode(&lookup); err != nil {
			return nil, &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: `expected {"email": "…"}`}
		}
		name = lookup.Email
	}
	user, err := live.Accounts.Find(r.Context(), name)
	if errors.Is(err, authcore.ErrDamaged) { // it can be disabled and deleted by its ID
		user, err = authcore.User{ID: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return operation(r, live, user)
}

// activeRealm finds the realm in the configuration that serves now, and holds it.
// Admin routers are made before the apps, so that they cannot keep a realm.
func activeRealm(r *http.Request) (*liveRealm, func(), error) {
	loaded, err := caddy.ActiveContext().AppIfConfigured(appName)
	if err != nil {
		return nil, nil, fmt.Errorf("edgeauth is not configured: %w", err)
	}
	app, ok := loaded.(*App)
	if !ok {
		return nil, nil, fmt.Errorf("unexpected app %T", loaded)
	}
	realm, err := app.Realm(r.URL.Query().Get("realm"))
	if err != nil {
		return nil, nil, err
	}
	return realm.hold(r.Context())
}

func adminStatus(err error) int {
	var public *authcore.Error
	if errors.As(err, &public) {
		return public.Status
	}
	return http.StatusNotFound
}

// adminUser returns a user in the form of the admin API.
func adminUser(user authcore.User) map[string]any {
	return map[string]any{
		"id": user.ID, "email": user.Email, "email_verified": user.EmailVerified,
		"first_name": user.FirstName, "last_name": user.LastName,
		"disabled": user.Disabled, "created": user.Created.Format(time.RFC3339),
	}
}

func answerAdmin(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the connection may be gone
}

// Interface guards.
var (
	_ caddy.Module      = (*Admin)(nil)
	_ caddy.AdminRouter = (*Admin)(nil)
)
