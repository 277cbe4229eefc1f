// Package servertest runs real servers for tests: it finds the program, picks
// ports, starts the process, waits until it serves, stops, kills, freezes and
// restarts it, and shows its log if the test fails. Packages redistest and pgtest
// add the details of one server.
//
// It is for tests of any module below the root. A missing program fails the test if
// CI is "true" and otherwise skips it with a message.
package servertest
