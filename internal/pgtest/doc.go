// Package pgtest runs PostgreSQL servers for tests. Each server has a port of the
// loopback interface and a socket of its own, and makes a database for each test.
//
// The tests of a package share one initdb, which takes most of the time, if they run
// by Main. If the test runs as root, the server runs as an unprivileged user. Servers
// do not sync their files unless a test sets fsync: a killed server loses nothing by
// that, only a machine that fails.
//
// Package servertest describes what happens without PostgreSQL.
package pgtest
