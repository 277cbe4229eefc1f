package caddymodule

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() {
	httpcaddyfile.RegisterGlobalOption(appName, parseGlobalOption)
}

// parseGlobalOption reads one realm of the app. Syntax:
//
//	edgeauth [<realm>] {
//		<options of Realm>
//	}
//
// The option may be repeated for realms of other names.
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	app, err := appSoFar(existing)
	if err != nil {
		return nil, err
	}
	d.Next() // the option's name
	name := ""
	switch arguments := d.RemainingArgs(); {
	case len(arguments) > 1:
		return nil, d.Errf("edgeauth: expected at most one argument, the name of the realm")
	case len(arguments) == 1:
		if name = arguments[0]; !realmName.MatchString(name) {
			return nil, d.Errf("edgeauth: %q is not a valid realm name; use up to 32 lower-case letters, digits, dashes and underscores", name)
		}
	}
	if app.Realms[name] != nil {
		return nil, d.Errf("edgeauth: realm %q is configured already", name)
	}
	realm := new(Realm)
	if err := realm.parse(d); err != nil {
		return nil, err
	}
	app.Realms[name] = realm
	return httpcaddyfile.App{Name: appName, Value: caddyconfig.JSON(app, nil)}, nil
}

// appSoFar returns what earlier options of the same Caddyfile made.
func appSoFar(existing any) (*App, error) {
	app := &App{}
	if existing != nil {
		former, ok := existing.(httpcaddyfile.App)
		if !ok {
			return nil, fmt.Errorf("edgeauth: unexpected type %T", existing)
		}
		if err := json.Unmarshal(former.Value, app); err != nil {
			return nil, err
		}
	}
	if app.Realms == nil {
		app.Realms = map[string]*Realm{}
	}
	return app, nil
}
