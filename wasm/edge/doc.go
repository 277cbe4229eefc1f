// Package edge is the gate as an edge that is not Caddy runs it: a configuration,
// the keys and revocations that it names, kept up to date from files, and the
// decision about each request.
//
// It owns when a file is read again, what happens while one cannot be read, and
// when revocations are too old. It reads no configuration (package config),
// decides nothing itself (package gate) and knows no host: files come as an
// fs.FS, the time with each request. It starts no goroutine, because none would
// run in a WebAssembly guest between two calls. An Edge is used by one request at
// a time.
package edge
