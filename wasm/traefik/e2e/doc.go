// Package e2e runs the WebAssembly module through Traefik's own code: its plugin
// builder, and its reading of the dynamic configuration that lies in the folder
// above. It is a Go module of its own, because Traefik is large.
package e2e
