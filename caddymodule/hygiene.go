package caddymodule

import (
	"io"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// stripIdentity deletes from a client's request everything that an upstream
// could take for an identity header, in headers and trailers (CWE-290,
// CWE-348), and what would let more requests past the gate.
func stripIdentity(r *http.Request) {
	for name := range r.Header {
		if gate.IsIdentityHeader(name) {
			delete(r.Header, name)
		}
	}
	if connection := r.Header["Connection"]; connection != nil {
		switch kept, changed := gate.KeptConnection(connection); {
		case changed && kept == "":
			delete(r.Header, "Connection")
		case changed:
			r.Header["Connection"] = []string{kept}
		}
	}
	if upgrade := r.Header["Upgrade"]; upgrade != nil && gate.IsTunnel(upgrade) {
		delete(r.Header, "Upgrade")
	}
	if r.Trailer != nil {
		stripTrailers(r)
	}
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

// identityHeader sets identity headers of one request and deletes others. The
// first values share one array, and names are taken as they are: this is done
// for every request.
type identityHeader struct {
	http.Header
	values [2]string // as many as are set unless more are asked for
	n      int
}

// Set replaces all values of a header, whose name is in the canonical form.
func (h *identityHeader) Set(name, value string) {
	if h.n == len(h.values) {
		h.Header[name] = []string{value}
		return
	}
	h.values[h.n] = value
	h.Header[name] = h.values[h.n : h.n+1 : h.n+1]
	h.n++
}

// Del deletes all values of a header, whose name is in the canonical form.
func (h *identityHeader) Del(name string) { delete(h.Header, name) }

// Interface guard.
var _ gate.RequestHeader = (*identityHeader)(nil)
