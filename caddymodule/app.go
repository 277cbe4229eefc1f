package caddymodule

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	caddy.RegisterModule(new(App))
}

// appName is the name of the app in a configuration.
const appName = "edgeauth"

// App holds the realms of a server: user bases that are kept apart, each with
// its keys, store, mailer, clients and providers. All sites share it.
//
// Most servers have one realm, the default one, whose name is "". The handlers
// `login_api` and `token_auth` and the provider `edgeauth` of Caddy's
// `authentication` handler name the realm that they belong to.
type App struct {
	// The realms by name. "" is the default realm.
	Realms map[string]*Realm `json:"realms,omitempty"`

	logger  *slog.Logger
	metrics *metrics
	// release gives back what the app itself holds.
	release []func() error
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appName, New: func() caddy.Module { return new(App) }}
}

// realmName is the form of realm names: they are part of tokens, file contents
// and metric labels.
var realmName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// Provision checks the configuration of every realm. It opens no file and no
// connection.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Slogger()
	if err := a.provisionMetrics(ctx); err != nil {
		return err
	}
	events, err := eventsApp(ctx)
	if err != nil {
		return err
	}
	for _, name := range a.names() {
		realm := a.Realms[name]
		if name != "" && !realmName.MatchString(name) {
			return fmt.Errorf("realm %q: use up to 32 lower-case letters, digits, dashes and underscores", name)
		}
		if realm == nil {
			return fmt.Errorf("realm %q: has no configuration", name)
		}
		deps := deps{logger: a.logger, metrics: a.metrics, events: events}
		if err := realm.provision(ctx, name, deps); err != nil {
			if name == "" {
				return err
			}
			return fmt.Errorf("realm %s: %w", name, err)
		}
	}
	return nil
}

// Start opens what the realms need and makes them ready.
func (a *App) Start() error {
	for _, name := range a.names() {
		if err := a.Realms[name].start(); err != nil {
			return err
		}
	}
	return nil
}

// Stop does nothing: requests of this configuration may still be under way, and
// are served until Cleanup.
func (a *App) Stop() error { return nil }

// Cleanup ends the realms. Caddy calls it for every configuration that it
// provisioned, also for one that failed to provision or to start.
func (a *App) Cleanup() error {
	var faults []error
	// At once, because each may wait for its mail to go out.
	var realms sync.WaitGroup
	ended := make(chan error, len(a.Realms))
	for _, realm := range a.Realms {
		if realm != nil {
			realms.Go(func() { ended <- realm.cleanup() })
		}
	}
	realms.Wait()
	close(ended)
	for fault := range ended {
		faults = append(faults, fault)
	}
	for _, release := range a.release {
		faults = append(faults, release())
	}
	a.release = nil
	return errors.Join(faults...)
}

// Realm returns a realm by name; "" is the default one.
func (a *App) Realm(name string) (*Realm, error) {
	if realm := a.Realms[name]; realm != nil {
		return realm, nil
	}
	if name == "" {
		return nil, errors.New("edgeauth: there is no default realm; add the global option: edgeauth { client web {env.WEB_CLIENT_KEY} … }")
	}
	return nil, fmt.Errorf("edgeauth: there is no realm %q; add the global option: edgeauth %s { client web {env.WEB_CLIENT_KEY} … }", name, name)
}

// names returns the names of all realms, sorted.
func (a *App) names() []string { return slices.Sorted(maps.Keys(a.Realms)) }

func (a *App) provisionMetrics(ctx caddy.Context) error {
	shared, release, err := share("metrics", newMetrics)
	if err != nil {
		return err
	}
	a.metrics, a.release = shared, append(a.release, release)
	return shared.register(ctx.GetMetricsRegistry(), a)
}

// loadedApp returns the app of a context.
func loadedApp(ctx caddy.Context) (*App, error) {
	loaded, err := ctx.App(appName)
	if err != nil {
		return nil, err
	}
	app, ok := loaded.(*App)
	if !ok {
		return nil, fmt.Errorf("edgeauth: unexpected app %T", loaded)
	}
	return app, nil
}

// findRealm returns a realm of the app that belongs to a module's context.
func findRealm(ctx caddy.Context, name string) (*Realm, error) {
	name, err := newResolver("").text("realm", name)
	if err != nil {
		return nil, err
	}
	app, err := loadedApp(ctx)
	if err != nil {
		return nil, err
	}
	return app.Realm(name)
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
