package caddymodule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// Limit bounds the requests of one kind in a window of time.
type Limit struct {
	// The number of requests that are served within the window. Zero switches the
	// limit off.
	N int `json:"n"`
	// The length of the window. Required, unless n is zero.
	Window caddy.Duration `json:"window,omitempty"`
}

// limitFields finds the field of a limit by its name in the configuration.
func limitFields(limits *ratelimit.Limits) map[string]*ratelimit.Rate {
	return map[string]*ratelimit.Rate{
		"link_per_address":  &limits.LinkPerAddress,
		"link_per_ip":       &limits.LinkPerIP,
		"link_per_client":   &limits.LinkPerClient,
		"link_overall":      &limits.LinkOverall,
		"login_per_ip":      &limits.LoginPerIP,
		"code_per_ip":       &limits.CodePerIP,
		"code_per_address":  &limits.CodePerAddress,
		"authorize_per_ip":  &limits.AuthorizePerIP,
		"authorize_overall": &limits.AuthorizeOverall,

		"factor_per_user":     &limits.FactorPerUser,
		"refresh_per_session": &limits.RefreshPerSession,
	}
}

// applyLimits returns the default limits with the configured ones in place.
func applyLimits(configured map[string]Limit) (ratelimit.Limits, error) {
	limits := ratelimit.DefaultLimits()
	fields := limitFields(&limits)
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		field, limit := fields[name], configured[name]
		switch {
		case field == nil:
			return limits, fmt.Errorf("limit: %q is not one of %s", name, limitNames())
		case limit.N < 0 || limit.N > 0 && limit.Window < caddy.Duration(time.Second):
			return limits, fmt.Errorf("limit %s: expected a number that is not negative and a window of at least a second", name)
		case limit.N == 0:
			// The window keeps a configuration with all limits off from
			// looking like one without limits, which means the defaults.
			*field = ratelimit.Rate{Window: time.Minute}
		default:
			*field = ratelimit.Rate{N: limit.N, Window: time.Duration(limit.Window)}
		}
	}
	return limits, nil
}

func limitNames() string {
	return strings.Join(slices.Sorted(maps.Keys(limitFields(&ratelimit.Limits{}))), ", ")
}

// parseLimit reads one limit. Syntax:
//
//	limit <name> <n> <window>
//	limit <name> off
func (r *Realm) parseLimit(b *block) error {
	arguments := b.RemainingArgs()
	isOff := len(arguments) == 2 && arguments[1] == "off"
	if len(arguments) != 3 && !isOff {
		return b.Errf("limit: expected a name, a number and a window, or a name and off")
	}
	name := arguments[0]
	if limitFields(&ratelimit.Limits{})[name] == nil {
		return b.Errf("limit: %q is not one of %s", name, limitNames())
	}
	if _, repeated := r.Limits[name]; repeated {
		return b.Errf("limit %s: must not be repeated", name)
	}
	var limit Limit
	if !isOff {
		n, err := b.number("limit", arguments[1])
		if err != nil {
			return err
		}
		window, err := b.span("limit", arguments[2])
		if err != nil {
			return err
		}
		limit = Limit{N: n, Window: caddy.Duration(window)}
	}
	if r.Limits == nil {
		r.Limits = map[string]Limit{}
	}
	r.Limits[name] = limit
	return nil
}
