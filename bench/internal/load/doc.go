// Package load sends HTTP/1.1 requests over connections that stay open and measures
// the latency of each.
//
// It implements only the part of HTTP that the benchmark needs: the caller prepares
// the bytes of requests, and responses must have a Content-Length. net/http would take
// too much of the processor from the server under test.
package load
