package caddymodule

import (
	core "github.com/edgeauth/edgeauth/authcore/realm"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/httpapi"
)

// allowOrigin returns a writer that lets pages of the clients' origins read the
// answer, unless the upstream has said itself who may (Fetch, section 3.3).
// Without such an origin it is w itself.
func allowOrigin(w http.ResponseWriter, r *http.Request, live *liveRealm) http.ResponseWriter {
	origin := r.Header["Origin"]
	if len(origin) != 1 || !live.AllowsOrigin(origin[0]) {
		return w
	}
	return &corsWriter{
		ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w},
		request:               r, live: live,
	}
}

// allowOriginNow does what the writer of allowOrigin would do when an answer is
// written. A request that ends with an error is answered by others, with the
// original writer: without this a page could not tell "log in again" from a
// network that is down.
func allowOriginNow(w http.ResponseWriter) {
	if w, ok := w.(*corsWriter); ok {
		w.allow()
	}
}

// corsWriter adds the headers of CORS just before the header is written. What
// it does not have itself, such as hijacking a connection for a WebSocket, is
// found through Unwrap.
type corsWriter struct {
	*caddyhttp.ResponseWriterWrapper
	request *http.Request
	live    *liveRealm
	done    bool
}

func (w *corsWriter) allow() {
	if w.done {
		return
	}
	w.done = true
	header := w.Header()
	if _, upstreams := header["Access-Control-Allow-Origin"]; !upstreams {
		httpapi.AllowOrigin(header, w.request, w.live.AllowsOrigin)
	}
}

// WriteHeader writes the header. Answers before the final one are left alone.
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
