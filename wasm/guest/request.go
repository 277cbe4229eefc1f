//go:build wasip1

package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// proceed is the result of handle_request for a request that proceeds.
const proceed = 1

var (
	errNotConfigured = errors.New("there is no valid configuration")
	errNotBuilt      = errors.New("the module was built without its build time; use `make wasm`, or -ldflags \"-X main.built=$(date +%s)\"")
	errClock         = errors.New("the clock is before the build of the module; set the clock of the host")
	errHeader        = errors.New("the header cannot be read or changed")
)

// handle performs the steps of gate.Site for one request, or repeats the result of an
// earlier one.
func (g *guest) handle() (ctxNext uint64) {
	g.repeatable = false
	if g.edge == nil && !g.configure() {
		return refuse(gate.Unavailable(errNotConfigured))
	}
	time, err := now()
	if err != nil {
		return refuse(gate.Unavailable(err))
	}
	path, query := "", ""
	if g.edge.HasLoginPaths() {
		path, query = g.buffer.path()
	}
	remembers := g.inputs.load(g.edge)
	if remembers {
		if changes, ok := g.edge.Recall(g.inputs.key(), path, time); ok {
			apply(changes)
			g.repeatable = true
			return proceed
		}
	}
	method := g.buffer.method()
	if err := g.header.load(&g.buffer, method, g.edge.UseOf); err != nil {
		return refuse(gate.Unavailable(err))
	}
	g.edge.Clean(g.header.fields)
	changes := g.header.changes()
	apply(changes)
	if g.header.deleted && g.buffer.hasIdentity(g.edge.IsManaged) {
		return refuse(gate.Unavailable(errHeader))
	}
	if path == "" {
		path, query = g.buffer.path()
	}
	request := gate.Request{
		Method: method, Header: g.header.fields, Path: path, Query: query, HasBody: g.header.hasBody, Now: time,
	}
	decision := g.edge.Decide(request)
	if decision.Status != 0 {
		return refuse(decision)
	}
	until := g.edge.HoldsUntil(&decision, &request)
	more := gate.Header{}
	if decision.Completes() {
		decision.Complete(more)
	}
	g.edge.Forward(&decision, g.header.fields)
	rest := append(g.header.changes(), answerChanges(more)...)
	apply(rest)
	if remembers {
		g.repeatable = g.edge.Remember(g.inputs.key(), append(changes, rest...), time, until)
	}
	return proceed
}

func refuse(d gate.Decision) (ctxNext uint64) {
	answer(&d)
	return 0
}

// header is the header of the request, as far as the gate uses it. It is fetched
// from the host field by field, and changes are written back.
type header struct {
	fields gate.Header
	// host lists the fields as the host has them.
	host []field
	// hasBody reports whether a preflight announces a body.
	hasBody, deleted bool
}

type field struct {
	name   string
	values []string
}

// load fetches the fields that the gate uses. Only preflights depend on a body.
func (h *header) load(b *buffer, method string, useOf func(name string) (key string, use gate.FieldUse)) error {
	names, ok := b.names()
	if !ok {
		return errHeader
	}
	h.fields, h.host, h.hasBody = gate.Header{}, h.host[:0], false
	for _, name := range names {
		key, use := useOf(name)
		switch {
		case use == gate.FieldRead:
			values, err := b.fieldValues(key)
			if err != nil {
				return err
			}
			h.add(key, values)
		case use == gate.FieldDeleted:
			h.add(key, []string{}) // the values do not matter
		case method != "OPTIONS":
		case strings.EqualFold(name, "Transfer-Encoding"):
			h.hasBody = true
		case strings.EqualFold(name, "Content-Length"):
			length, _, _ := b.values(name, maxValues)
			h.hasBody = h.hasBody || len(length) != 1 || length[0] != "0"
		}
	}
	return nil
}

func (h *header) add(key string, values []string) {
	h.fields[key] = values
	h.host = append(h.host, field{key, values})
}

// changes returns the changes of the fields since the last call, and notes in deleted
// whether some were deleted.
func (h *header) changes() (changes []edge.Change) {
	kept := h.host[:0]
	h.deleted = false
	for _, f := range h.host {
		values, ok := h.fields[f.name]
		switch {
		case !ok:
			changes = append(changes, edge.Change{Kind: edge.ChangeDelete, Name: f.name})
			h.deleted = true
			continue
		case !slices.Equal(values, f.values):
			changes = appendField(changes, f.name, values)
		}
		kept = append(kept, field{f.name, values})
	}
	h.host = kept
	for name, values := range h.fields {
		if !slices.ContainsFunc(h.host, func(f field) bool { return f.name == name }) {
			changes = appendField(changes, name, values)
			h.host = append(h.host, field{name, values})
		}
	}
	return changes
}

// appendField replaces all values of a field of the request.
func appendField(changes []edge.Change, name string, values []string) []edge.Change {
	for i, value := range values {
		kind := edge.ChangeAdd
		if i == 0 {
			kind = edge.ChangeSet
		}
		changes = append(changes, edge.Change{Kind: kind, Name: name, Value: value})
	}
	return changes
}

// fieldValues returns the values of a field. If they are too long to be fetched, it
// returns substitutes that the gate refuses for the same reason; for Connection,
// Upgrade and Cookie, which have to be cleaned, it returns an error.
func (b *buffer) fieldValues(name string) ([]string, error) {
	most := uint32(maxValues)
	if name == "Cookie" {
		most = maxCookies
	}
	values, count, ok := b.values(name, most)
	switch {
	case ok:
		return values, nil
	case name == "Connection", name == "Upgrade", name == "Cookie":
		return nil, errHeader
	case name != "Authorization":
		return make([]string, 2), nil // not a preflight, and not an origin
	case count > 1:
		return slices.Repeat([]string{"Token"}, count), nil
	}
	return []string{"Token " + strings.Repeat("x", gate.MaxAuthorization)}, nil
}

// hasIdentity reports whether an identity header is present, because a host did not
// find it under the name that it had given.
func (b *buffer) hasIdentity(isManaged func(name string) bool) bool {
	names, ok := b.names()
	return !ok || slices.ContainsFunc(names, isManaged)
}
