package caddymodule

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// errEnded is the error of writing to a client whose session has ended.
var errEnded = errors.New("edgeauth: the session has ended")

// completingWriter adds to the answer of the upstream what gate.Decision.Complete does,
// and no-store to pages if that is wanted, just before the header is written. It fails
// once the session has ended. Other capabilities, such as hijacking a connection for a
// WebSocket, are found through Unwrap.
type completingWriter struct {
	caddyhttp.ResponseWriterWrapper
	decision *gate.Decision
	noStore  bool
	done     bool
	// ended is set by another goroutine.
	ended atomic.Bool
}

func (w *completingWriter) complete() {
	if !w.done {
		w.done = true
		header := w.Header()
		if w.noStore && strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			header.Set("Cache-Control", "no-store") // nothing else empties the browser's cache of whole pages
		}
		w.decision.Complete(gate.Header(header))
	}
}

// WriteHeader writes the header. Informational responses are not changed.
func (w *completingWriter) WriteHeader(status int) {
	if status < 100 || status > 199 || status == http.StatusSwitchingProtocols {
		w.complete()
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// Write writes a part of the body.
func (w *completingWriter) Write(p []byte) (int, error) {
	if w.ended.Load() {
		return 0, errEnded
	}
	w.complete()
	return w.ResponseWriterWrapper.Write(p)
}

// ReadFrom writes a body from a reader.
func (w *completingWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.ended.Load() {
		return 0, errEnded
	}
	w.complete()
	return w.ResponseWriterWrapper.ReadFrom(r)
}

// FlushError sends what was written so far, the header too.
func (w *completingWriter) FlushError() error {
	if w.ended.Load() {
		return errEnded
	}
	w.complete()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Interface guards.
var (
	_ http.ResponseWriter = (*completingWriter)(nil)
	_ io.ReaderFrom       = (*completingWriter)(nil)
)
