// Package load sends HTTP/1.1 requests over connections that stay open, and
// takes the time of each answer.
//
// It owns the connections and the few lines of HTTP that they need: requests are
// bytes that the caller has prepared, answers must state their length. It does
// not own what is asked or what an answer means. net/http is left out on
// purpose: on a small machine a heavy client takes the processor from the server
// that is to be measured.
package load
