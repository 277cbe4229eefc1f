// Command bench measures the costs of gate and login API, compared with Caddy's own
// reverse_proxy without a check, and writes docs/performance-appendix.md.
//
//	go run . [-quick] [-only hot,first] [-write ../docs/performance-appendix.md]
//
// Everything runs under Linux on the loopback interface of one machine: a server
// process for each row, all from one binary, and this process, which sends the
// requests and is the upstream. A slice is a number of consecutive requests to one
// server. Slices take turns in random order, and the pieces of a slice take turns with
// those of a slice of the plain proxy, so that other load on the machine affects all of
// them alike. A second plain process shows the error that remains. All processes are
// started anew for each set of slices.
//
// A run has sections, each with a file: requests.go (with rows.go, subject.go and
// measure.go), memory.go, login.go (with engines.go), inside.go, growth.go, wasm.go.
// Every section runs in small as a test.
package main
