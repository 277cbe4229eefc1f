// Command bench measures the costs of gate and login API, compared with Caddy's own
// reverse_proxy without a check, and writes docs/performance-appendix.md.
//
//	go run . [-quick] [-only hot,first] [-write ../docs/performance-appendix.md]
//
// Everything runs under Linux on the loopback interface of one machine: a server
// process for each row, all from one binary, and this process, which sends the
// requests and is the upstream. A slice is a number of consecutive requests to one
// server. Slices run in random order. The pieces of a slice take turns with those of a
// slice of the plain proxy, so that other load affects both alike. All processes are
// started anew for each set of slices.
//
// What runs in one process is a benchmark of a test file. A test runs every section in small.
package main
