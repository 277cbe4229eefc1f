// Package load sends HTTP/1.1 requests over connections that stay open and measures
// the latency of each. The caller prepares the bytes of requests: http.Transport would take
// too much of the processor from the server under test.
package load
