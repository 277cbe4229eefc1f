// Package edge runs the gate at an edge other than Caddy: it holds a configuration
// and the keys and revocations that it names, keeps them up to date from files or
// from the host, and decides about each request.
//
// It determines when a file is read again, what happens while one cannot be read,
// and when revocations are too old. It does not parse the configuration (package
// config), judge requests (package gate) or depend on a host: files come as an
// fs.FS, the time with each request. It starts no goroutine, because a WebAssembly
// guest runs none between two calls. A long feed is therefore read part by part,
// between requests. An Edge is used by one request at a time.
package edge
