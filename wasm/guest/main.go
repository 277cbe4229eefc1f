//go:build wasip1

package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// built is the time at which the module was built, in seconds since 1970. The build
// sets it; without it every request is refused.
var built string //nolint:gochecknoglobals // the linker sets it

// module is the instance. Exports are functions without a receiver, so they need a
// variable.
var module guest //nolint:gochecknoglobals // exports have no receiver

// main is never called: the module is a reactor.
func main() {}

// init configures the module, so that faults of the configuration are logged when
// the host starts. Hosts may call exports only after it.
func init() { //nolint:gochecknoinits // a reactor has no main
	module.guarded(func() { module.configure() })
}

//go:wasmexport handle_request
func handleRequest() (ctxNext uint64) {
	if module.guarded(func() { ctxNext = module.handle() }) {
		return ctxNext
	}
	decision := gate.Unavailable(nil)
	answer(&decision)
	return 0
}

//go:wasmexport handle_response
func handleResponse(_, _ uint32) {}

//go:wasmexport reconfigure
func reconfigure() (refused uint32) {
	refused = 1
	module.guarded(func() {
		if module.configure() {
			refused = 0
		}
	})
	return refused
}

//go:wasmexport take_revocations
func takeRevocations() (progress uint32) {
	progress = uint32(edge.Refused)
	module.guarded(func() { progress = uint32(module.takeRevocations()) }) //nolint:gosec // a small constant
	return progress
}

//go:wasmexport revocations_cursor
func revocationsCursor() (cursor uint64) {
	module.guarded(func() {
		if module.edge != nil {
			cursor, _ = strconv.ParseUint(module.edge.Cursor(), 10, 64) // "" is 0
		}
	})
	return cursor
}

//go:wasmexport is_repeatable
func isRepeatable() (repeatable uint32) {
	if module.repeatable && !module.edge.HasLoginPaths() { // the host does not know those paths
		return 1
	}
	return 0
}

// guest is the state of an instance.
type guest struct {
	buffer buffer
	header header
	inputs inputs
	// edge is nil until there is a valid configuration.
	edge *edge.Edge
	// repeatable reports that the last request was remembered or recalled.
	repeatable bool
	// busy is true during a call.
	busy bool
}

// guarded runs one call and reports whether it was completed. An instance that was
// interrupted in the middle of a call can be in any state and is not used again.
// After a panic the state is discarded.
func (g *guest) guarded(call func()) (ok bool) {
	if g.busy {
		return false
	}
	g.busy = true
	defer func() {
		if recover() != nil {
			ok = false
			*g = guest{}
			complain("the module failed; the request was refused")
		}
	}()
	call()
	g.busy = false
	return true
}

// configure reads the configuration and reports whether it is in force.
func (g *guest) configure() bool {
	text, ok := g.buffer.config()
	if !ok {
		complain("the configuration is too long")
		return false
	}
	cfg, err := config.Parse([]byte(text))
	if err != nil {
		complain("configuration: " + err.Error())
		return false
	}
	if g.edge == nil {
		g.edge = edge.New(cfg, os.DirFS("/"), complain)
	} else {
		g.edge.Configure(cfg)
	}
	if _, err := now(); err != nil {
		complain("every request is refused: " + err.Error())
	}
	return true
}

// takeRevocations reads a part of the feed. A feed that is not newer is normal, other
// refusals are logged.
func (g *guest) takeRevocations() edge.Progress {
	part, ok := g.buffer.read(gate.MaxFeedPart, hostConfig)
	at, err := now()
	if !ok || err != nil || g.edge == nil && !g.configure() {
		complain("the feed cannot be read")
		return edge.Refused
	}
	progress, err := g.edge.Take(part, at)
	switch progress {
	case edge.Refused:
		complain("feed: " + err.Error())
	case edge.Partial:
		// A long list has no pointers, so that collecting garbage is cheap. The
		// memory of a guest never shrinks.
		debug.SetGCPercent(25)
	case edge.InForce, edge.NotNewer:
	}
	return progress
}

// now returns the time. The error is errNotBuilt, or errClock if the clock is certainly
// wrong.
func now() (time.Time, error) {
	seconds, err := strconv.ParseInt(built, 10, 64)
	now := time.Now()
	switch {
	case err != nil || seconds <= 0:
		return now, errNotBuilt
	case now.Unix() >= seconds:
		return now, nil
	default:
		return now, errClock
	}
}
