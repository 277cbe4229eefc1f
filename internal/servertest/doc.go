// Package servertest runs real servers for tests: it finds the program, picks
// ports, starts the process, waits until it serves, stops, kills, freezes and
// restarts it, and shows its log when the test fails. What is particular to one
// server is in the packages redistest and pgtest.
//
// It is for tests alone, of any module below the root. A program that is not there
// fails the test when CI is "true" and skips it otherwise, and says so.
package servertest
