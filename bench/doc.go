// Command bench measures what login and gate cost, side by side with Caddy's own
// reverse_proxy without any check, and writes docs/performance.md.
//
//	go run . [-quick] [-only hot,first] [-write ../docs/performance.md]
//
// Everything runs on the loopback interface of one machine, under Linux: one
// small upstream, one server process for each scenario, all from one binary, and
// this process, which sends the requests. Scenarios take turns in short slices,
// in another order in each round, so that what else the machine does hits all of
// them alike; each slice is compared with the plain proxy's slice of the same
// round. The plain proxy takes part twice: how far the two differ is how far any
// figure can be trusted. All processes are started anew for each set of rounds.
//
// The files: scenarios.go says what is measured, course.go and measure.go how;
// price.go, memory.go, login.go, issuance.go and growth.go are the sections of
// the report; report.go puts them together. The folder internal holds the HTTP
// client (load), the server process (edge), servers of engines (host), prepared
// stores and tokens (realm),
// the reading of profiles (share) and sums (stat).
package main
