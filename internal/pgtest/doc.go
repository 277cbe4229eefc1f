// Package pgtest runs real PostgreSQL servers for tests, each on a port of the
// loopback interface and a socket of its own, with databases for as many tests as
// want one.
//
// Main lets the tests of a package share one initdb, which takes longer than
// everything else. The servers run as an unprivileged user where the test is root.
// They do not sync their files, which a killed server does not need, unless a test
// asks for it: only a machine that fails would show the difference.
//
// See package servertest for what becomes of a test without PostgreSQL.
package pgtest
