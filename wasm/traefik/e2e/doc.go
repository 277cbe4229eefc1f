// Package e2e runs the WebAssembly module with Traefik's own code: its plugin builder,
// and its decoder of the dynamic configuration in the folder above. It is a separate Go
// module, because Traefik is large.
package e2e
