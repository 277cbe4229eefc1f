package gate

import (
	"io"
	"iter"
	"strings"
)

// Header contains the fields of a message by canonical name, as an http.Header
// does. An http.Header converts to it without a copy.
type Header map[string][]string

// Set replaces all values of a field, whose name is in the canonical form.
func (h Header) Set(name, value string) { h[name] = []string{value} }

// Add adds a value to a field, whose name is in the canonical form.
func (h Header) Add(name, value string) { h[name] = append(h[name], value) }

// Clean removes from the header of a request what an upstream could take for an
// identity that the gate has set, and what would let requests past the gate. A
// server calls it for every request, before anything else and on all paths
// (CWE-290, CWE-348):
//
//   - every field that IsIdentityHeader or the site's Managed names, with all its
//     values;
//   - the names of those fields and of Authorization in Connection. A proxy
//     deletes the fields that Connection lists (RFC 9110, section 7.6.1), so that
//     a request would look anonymous to the upstream;
//   - an upgrade to a protocol that carries further HTTP requests.
//
// Everything else stays, among it credentials of other schemes. Trailers are
// cleaned by CleanTrailer. Clean allocates nothing unless Connection changes.
func (s *Site) Clean(header Header) {
	deleteIdentity(header, s.Managed)
	if values := header["Connection"]; values != nil {
		cleanConnection(header, values, s.Managed)
	}
	if values := header["Upgrade"]; values != nil && isTunnel(values) {
		delete(header, "Upgrade")
	}
}

// CleanTrailer removes identity fields from the trailer of a request, those that
// were announced immediately and the others when they arrive: net/http adds them
// to the map in the Read that reaches the end of the body. It returns the body to
// read instead.
func (s *Site) CleanTrailer(body io.ReadCloser, trailer Header) io.ReadCloser {
	deleteIdentity(trailer, s.Managed)
	return &trailerCleaner{body, trailer, s.Managed}
}

// trailerCleaner deletes identity fields in the call that receives them.
type trailerCleaner struct {
	io.ReadCloser
	trailer Header
	managed []ManagedHeader
}

// Read reads from the body.
func (c *trailerCleaner) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil {
		deleteIdentity(c.trailer, c.managed)
	}
	return n, err
}

// Close closes the body. It may read the rest of it, with the trailer.
func (c *trailerCleaner) Close() error {
	err := c.ReadCloser.Close()
	deleteIdentity(c.trailer, c.managed)
	return err
}

func deleteIdentity(header Header, managed []ManagedHeader) {
	for name := range header {
		if IsIdentityHeader(name) || isManaged(name, managed) {
			delete(header, name)
		}
	}
}

// cleanConnection removes fields from Connection that have to reach the upstream.
func cleanConnection(header Header, values []string, managed []ManagedHeader) {
	changed := false
	for name := range connectionOptions(values) {
		changed = changed || isEndToEnd(name, managed)
	}
	if !changed {
		return
	}
	var names []string
	for name := range connectionOptions(values) {
		if !isEndToEnd(name, managed) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		delete(header, "Connection")
		return
	}
	header.Set("Connection", strings.Join(names, ", "))
}

// isEndToEnd reports whether a field has to reach the upstream even if the client
// lists it in Connection.
func isEndToEnd(name string, managed []ManagedHeader) bool {
	return IsIdentityHeader(name) || isManaged(name, managed) || equalFold(name, "authorization")
}

// connectionOptions yields the names in a Connection field.
func connectionOptions(values []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, value := range values {
			for name := range strings.SplitSeq(value, ",") {
				if name = strings.Trim(name, " \t\r\n"); name != "" && !yield(name) {
					return
				}
			}
		}
	}
}

// isTunnel reports whether the values of Upgrade ask for a protocol that carries
// further HTTP requests: "h2c", "HTTP/…" and "TLS/…" (RFC 9110, section 7.8; RFC
// 2817). The proxy would not see those requests, so their tokens, paths and
// identity headers would not be checked (CWE-444). Clients do not need it: the
// upgrade to HTTP/2 is obsolete (RFC 9113, section 3.1). WebSockets and the
// protocols of application servers are not affected.
func isTunnel(values []string) bool {
	for _, value := range values {
		for protocol := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(strings.Trim(protocol, " \t\r\n"), "/")
			if equalFold(name, "h2c") || equalFold(name, "http") || equalFold(name, "tls") {
				return true
			}
		}
	}
	return false
}

// preflightFields are removed from a preflight that passes; see stripPreflight.
var preflightFields = [...]string{
	"Authorization", "Cookie", "Upgrade", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method",
}

// readFields are the fields of a request whose values matter to this package.
var readFields = [...]string{
	"Authorization", "Connection", "Upgrade", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers",
}

// browserFields are those that matter in addition on a site with a login page.
var browserFields = [...]string{
	"Cookie", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Sec-Purpose", "Purpose", "Accept", "Accept-Language",
	"X-Requested-With",
}

// basicFields are those that matter in addition on a site with HTTP Basic.
var basicFields = [...]string{
	"Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Accept", "X-Requested-With", "User-Agent",
}

// FieldUse describes what this package does with a field of a request.
type FieldUse int

// The uses of a field. A host that fetches fields one by one may leave out the
// others.
const (
	// FieldIgnored: the field is neither read nor changed.
	FieldIgnored FieldUse = iota
	// FieldDeleted: the field may be deleted, its values do not matter.
	FieldDeleted
	// FieldRead: the values matter.
	FieldRead
)

// UseOf returns the use of a request's field of this name, in any case, and the
// name under which it belongs into a Header.
func (s *Site) UseOf(name string) (key string, use FieldUse) {
	if s.Browser != nil {
		for _, field := range browserFields {
			if equalFold(name, field) {
				return field, FieldRead
			}
		}
	}
	if s.Credentials.Basic {
		for _, field := range basicFields {
			if equalFold(name, field) {
				return field, FieldRead
			}
		}
	}
	for _, field := range readFields {
		if equalFold(name, field) {
			return field, FieldRead
		}
	}
	for _, field := range preflightFields {
		if equalFold(name, field) {
			return field, FieldDeleted
		}
	}
	if s.IsManaged(name) {
		return name, FieldDeleted
	}
	return name, FieldIgnored
}
