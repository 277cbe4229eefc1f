// Package e2e runs the WebAssembly module under the host of Traefik and other Go
// servers, and compares it with the table of HTTP cases and with the gate as Go code. It
// is a separate Go module, so that its dependencies are in no other build.
package e2e
