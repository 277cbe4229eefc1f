//go:build wasip1

package main

import (
	"os"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/config"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// built is when the module was built, in seconds since 1970. The build sets it;
// without it nothing goes on.
var built string //nolint:gochecknoglobals // the linker sets it

// module is the instance. Exports are functions without a receiver, so there has
// to be one variable.
var module guest //nolint:gochecknoglobals // as said

// main is never called: the module is a reactor.
func main() {}

// A host may call an export only after init, so this is where faults of the
// configuration reach the log while the operator is looking.
func init() { //nolint:gochecknoinits // what a reactor has in the place of main
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

// guest is what an instance knows.
type guest struct {
	buffer buffer
	// edge is nil as long as there is no good configuration.
	edge *edge.Edge
	// busy is true during a call.
	busy bool
}

// guarded runs one call and reports whether it came to its end. An instance
// that was left in the middle of a call can be in any state and is not used
// again. After a panic everything is made anew.
func (g *guest) guarded(call func()) (ok bool) {
	if g.busy {
		return false
	}
	g.busy = true
	defer func() {
		if recover() != nil {
			ok = false
			*g = guest{}
			complain("a fault of the module; the request was refused")
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
	return true
}

// now returns the time, unless it cannot be right.
func now() (time.Time, bool) {
	seconds, err := strconv.ParseInt(built, 10, 64)
	now := time.Now()
	return now, err == nil && seconds > 0 && now.Unix() >= seconds
}
