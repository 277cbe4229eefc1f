// Package share reads CPU profiles: it tells which parts of the edge the time
// went to.
package share

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// Shares are parts of all samples, of 0 to 1, by name.
type Shares map[string]float64

// The parts. A sample belongs to the first that fits.
const (
	signature = "gate: signature"
	gate      = "gate: rest"
	login     = "login API"
	writing   = "database writer"
	mail      = "mail"
	garbage   = "garbage collection"
	kernel    = "system calls"
	scheduler = "scheduler"
	proxy     = "reverse proxy"
	server    = "HTTP server"
	other     = "other"
)

// Names lists the parts of a profile of the gate in the order of a table.
func Names() []string {
	return []string{signature, gate, garbage, kernel, scheduler, proxy, server, other}
}

// LoginNames does the same for a profile of logins.
func LoginNames() []string {
	return []string{login, writing, mail, garbage, kernel, scheduler, server, other}
}

// Of reads a profile.
func Of(from io.Reader) (Shares, error) {
	p, err := profile.Parse(from)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	shares := Shares{}
	var sum float64
	for _, sample := range p.Sample {
		if len(sample.Value) == 0 {
			continue
		}
		value := float64(sample.Value[len(sample.Value)-1]) // nanoseconds
		shares[part(frames(sample))] += value
		sum += value
	}
	for name := range shares {
		shares[name] /= sum
	}
	return shares, nil
}

// frames returns the functions of a sample, the innermost first.
func frames(sample *profile.Sample) []string {
	var names []string
	for _, location := range sample.Location {
		for _, line := range location.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

func part(names []string) string {
	has := func(texts ...string) bool {
		for _, name := range names {
			for _, text := range texts {
				if strings.Contains(name, text) {
					return true
				}
			}
		}
		return false
	}
	innermost := func(text string) bool { return len(names) > 0 && strings.Contains(names[0], text) }
	switch {
	case has("(*verifyKey).verify"):
		return signature
	case inGate(names):
		return gate
	case innermost("syscall"):
		return kernel
	case has("runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"):
		return garbage
	case has("bolt.(*writer)"):
		return writing
	case has("edgeauth/mailer."):
		return mail
	case has("httpapi.", "authcore."):
		return login
	case has("runtime.schedule", "runtime.mcall", "runtime.findRunnable", "runtime.park_m"):
		return scheduler
	case has("reverseproxy.", "net/http.(*persistConn)", "net/http.(*Transport)"):
		return proxy
	case has("net/http.", "caddyhttp."):
		return server
	}
	return other
}

// inGate reports whether the handler of the gate was at work itself, and not what
// comes after it.
func inGate(names []string) bool {
	for i, name := range names {
		if strings.Contains(name, "(*TokenAuth).ServeHTTP") {
			return !slices.ContainsFunc(names[:i], func(inner string) bool {
				return strings.Contains(inner, "caddyhttp.") || strings.Contains(inner, "reverseproxy.")
			})
		}
	}
	return false
}
