package caddymodule

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// allowOrigin returns a writer that lets pages of the request's origin read the
// answer, unless the upstream decided that itself. If the origin may not call the site,
// it is w itself.
func allowOrigin(w http.ResponseWriter, decision *gate.Decision) http.ResponseWriter {
	if decision.Origin == "" {
		return w
	}
	return &corsWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, decision: decision}
}

// corsWriter adds CORS headers just before the header is written. Other capabilities,
// such as hijacking a connection for a WebSocket, are found through Unwrap.
type corsWriter struct {
	*caddyhttp.ResponseWriterWrapper
	decision *gate.Decision
	done     bool
}

func (w *corsWriter) allow() {
	if !w.done {
		w.done = true
		w.decision.AllowOrigin(gate.Header(w.Header()))
	}
}

// WriteHeader writes the header. Informational responses are not changed.
func (w *corsWriter) WriteHeader(status int) {
	if status < 100 || status > 199 || status == http.StatusSwitchingProtocols {
		w.allow()
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// Write writes a part of the body.
func (w *corsWriter) Write(p []byte) (int, error) {
	w.allow()
	return w.ResponseWriterWrapper.Write(p)
}

// ReadFrom writes a body from a reader.
func (w *corsWriter) ReadFrom(r io.Reader) (int64, error) {
	w.allow()
	return w.ResponseWriterWrapper.ReadFrom(r)
}

// FlushError sends what was written so far, the header too.
func (w *corsWriter) FlushError() error {
	w.allow()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Interface guards.
var (
	_ http.ResponseWriter = (*corsWriter)(nil)
	_ io.ReaderFrom       = (*corsWriter)(nil)
)
