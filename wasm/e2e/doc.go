// Package e2e runs the WebAssembly module under the host that Traefik and other
// Go servers use, and holds it against the table of HTTP cases and against the
// gate as Go code. It is a Go module of its own, so that what it needs for that
// is in nobody's build.
package e2e
