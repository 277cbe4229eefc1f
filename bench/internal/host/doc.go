// Package host runs what the helpers of tests start, such as a PostgreSQL server,
// in a program that is no test: it stands in for testing.TB and owns the cleanups.
package host
