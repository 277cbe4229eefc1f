package caddymodule

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// readyAge is the age of the copy of the revocations from which the store does not
// answer. The copy is read twice a second.
const readyAge = 5 * time.Second

// Names of health checks.
const (
	checkConfigured = "configured"
	checkServing    = "serving"
	checkStore      = "store"
	checkClock      = "clock"
	checkMailQueue  = "mail_queue"
)

// health is the response of the readiness check.
type health struct {
	Ready  bool          `json:"ready"`
	Checks []healthCheck `json:"checks"`
}

// healthCheck is one reason. A check that is not OK makes the node not ready.
type healthCheck struct {
	Realm  string `json:"realm,omitempty"`
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// healthRoutes returns the probes of the admin endpoint. They do no I/O:
//
//	GET /edgeauth/health/live   200 while the process answers
//	GET /edgeauth/health/ready  200 if every realm can log users in, otherwise 503
func healthRoutes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: adminPath + "/health/live", Handler: healthHandler(func() (bool, any) {
			return true, map[string]bool{"live": true}
		})},
		{Pattern: adminPath + "/health/ready", Handler: healthHandler(func() (bool, any) {
			state := activeHealth()
			return state.Ready, state
		})},
	}
}

func healthHandler(check func() (bool, any)) caddy.AdminHandler {
	return caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: fmt.Errorf("method %s is not allowed; use GET", r.Method)}
		}
		ok, body := check()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return json.NewEncoder(w).Encode(body)
	})
}

// activeHealth checks the configuration that serves now.
func activeHealth() health {
	loaded, err := caddy.ActiveContext().AppIfConfigured(appName)
	app, ok := loaded.(*App)
	if err != nil || !ok {
		return health{Checks: []healthCheck{{Name: checkConfigured, Detail: "the configuration has no edgeauth app"}}}
	}
	return app.health()
}

// health checks all realms.
func (a *App) health() health {
	state := health{Ready: true, Checks: []healthCheck{}}
	for _, name := range a.names() {
		for _, check := range a.Realms[name].healthChecks() {
			check.Realm = name
			state.Ready = state.Ready && check.OK
			state.Checks = append(state.Checks, check)
		}
	}
	return state
}

// healthChecks checks one realm from what it knows already.
func (r *Realm) healthChecks() []healthCheck {
	live := r.live.Load()
	if live == nil {
		return []healthCheck{{Name: checkServing, Detail: "the realm has not started or its start failed; see the log"}}
	}
	age := live.RevocationAge()
	checks := []healthCheck{
		{Name: checkServing, OK: true},
		{Name: checkStore, OK: age < readyAge, Detail: fmt.Sprintf("revocations read %.1f seconds ago", age.Seconds())},
	}
	if skew, measured := live.clock.seconds(); measured {
		checks = append(checks, healthCheck{
			Name: checkClock, OK: math.Abs(skew) < skewTooLarge.Seconds(),
			Detail: fmt.Sprintf("the store's clock is %.1f seconds ahead", skew),
		})
	}
	if queue, ok := live.mailer.(interface{ Len() int }); ok {
		// A full queue does not make the node useless: social logins and requests work.
		checks = append(checks, healthCheck{Name: checkMailQueue, OK: true, Detail: fmt.Sprintf("%d mails wait", queue.Len())})
	}
	return checks
}
