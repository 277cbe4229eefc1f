package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// stripIdentity deletes from a client's request everything that an upstream
// could take for an identity header, in headers and trailers (CWE-290,
// CWE-348).
func stripIdentity(r *http.Request) {
	for name := range r.Header {
		if gate.IsIdentityHeader(name) {
			delete(r.Header, name)
		}
	}
	if connection := r.Header["Connection"]; connection != nil {
		keepIdentity(r.Header, connection)
	}
	if r.Trailer != nil {
		stripTrailers(r)
	}
}

// stripPreflight takes out of a preflight what no browser sends with one. It
// passes without a token, so nothing in it may be taken for another request or
// for another kind of credentials.
func stripPreflight(header http.Header) {
	for _, name := range []string{
		"Authorization", "Cookie", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method",
	} {
		delete(header, name)
	}
}

// isEndToEnd reports whether a header that the gate leaves in a request must
// reach the upstream even if the client calls it hop-by-hop.
func isEndToEnd(name string) bool {
	return gate.IsIdentityHeader(name) || strings.EqualFold(name, "Authorization")
}

// keepIdentity takes identity headers out of the list of headers that a proxy
// must delete (RFC 9110, section 7.6.1): a client could otherwise have the
// headers deleted that are set for it here, and be somebody unknown to an
// upstream that was promised that there is none.
func keepIdentity(header http.Header, connection []string) {
	names := func(yield func(string) bool) {
		for _, value := range connection {
			for name := range strings.SplitSeq(value, ",") {
				if name = textproto.TrimString(name); name != "" && !yield(name) {
					return
				}
			}
		}
	}
	if !anyIdentity(names) {
		return
	}
	var kept []string
	for name := range names {
		if !isEndToEnd(name) {
			kept = append(kept, name)
		}
	}
	if len(kept) == 0 {
		delete(header, "Connection")
		return
	}
	header["Connection"] = []string{strings.Join(kept, ", ")}
}

func anyIdentity(names func(func(string) bool)) bool {
	for name := range names {
		if isEndToEnd(name) {
			return true
		}
	}
	return false
}

// stripTrailers deletes announced trailers now, and has the others deleted when
// they have arrived: net/http adds all of them to the map when it reads the end
// of the body, whether they were announced or not.
func stripTrailers(r *http.Request) {
	deleteIdentity(r.Trailer)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &trailerGuard{ReadCloser: r.Body, trailer: r.Trailer}
	}
}

func deleteIdentity(header http.Header) {
	for name := range header {
		if gate.IsIdentityHeader(name) {
			delete(header, name)
		}
	}
}

// trailerGuard deletes identity trailers in the Read that receives them, before
// anybody can pass them on.
type trailerGuard struct {
	io.ReadCloser
	trailer http.Header
}

// Read reads from the body.
func (g *trailerGuard) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	if err != nil {
		deleteIdentity(g.trailer)
	}
	return n, err
}

// Close closes the body. That may read its rest, and with it the trailers.
func (g *trailerGuard) Close() error {
	err := g.ReadCloser.Close()
	deleteIdentity(g.trailer)
	return err
}

// Words in the place of a list of headers.
const (
	headersOff = "off"
	headersAll = "all"
)

// defaultHeaders is what most applications need. Each header more costs the
// proxied request about a microsecond, most of it in reverse_proxy, and tells
// the application more than it needs.
func defaultHeaders() []string {
	return []string{gate.HeaderUserID, gate.HeaderEmail}
}

// chosenHeaders returns the identity headers to set.
func chosenHeaders(configured []string) ([]string, error) {
	var available []string
	for _, header := range gate.Headers {
		if header != gate.HeaderAssertion { // has an option of its own
			available = append(available, header)
		}
	}
	switch {
	case len(configured) == 0:
		return defaultHeaders(), nil
	case slices.Equal(configured, []string{headersAll}):
		return available, nil
	case slices.Equal(configured, []string{headersOff}):
		return nil, nil
	}
	var chosen []string // each once, so that they fit identityValues
	for _, name := range configured {
		header := http.CanonicalHeaderKey(name)
		if !slices.Contains(available, header) {
			return nil, fmt.Errorf("headers: %q is not one of %s; or all or off, alone", name, strings.Join(available, ", "))
		}
		if !slices.Contains(chosen, header) {
			chosen = append(chosen, header)
		}
	}
	return chosen, nil
}

// identityValues has room for the values of all identity headers of a request.
type identityValues [8]string

// setIdentity sets identity headers. Absent values set none, and the values
// share one array of the request's: this is done for every request.
func setIdentity(header http.Header, claims *gate.Claims, names []string, values *identityValues) {
	for i, name := range names {
		if value := gate.HeaderValue(claims, name); value != "" {
			values[i] = value
			header[name] = values[i : i+1 : i+1]
		}
	}
}
