package caddymodule

import (
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestSecondFactorOption(t *testing.T) {
	for text, want := range map[string]struct {
		mode  string
		roles int
		valid bool
	}{
		"second_factor required admin staff": {"required", 2, true},
		"second_factor optional":             {"optional", 0, true},
		"second_factor":                      {"", 0, false},
	} {
		var r Realm
		d := caddyfile.NewTestDispenser(text)
		d.Next()
		err := r.parseSecondFactor(&block{Dispenser: d, seen: map[string]bool{}})
		if (err == nil) != want.valid || r.SecondFactor != want.mode || len(r.SecondFactorRoles) != want.roles {
			t.Errorf("parseSecondFactor(%s) = %q, %v, %v; want %+v", text, r.SecondFactor, r.SecondFactorRoles, err, want)
		}
	}
}
