//go:build race

package realm

// simulated is shorter with the race detector, with which two weeks take five minutes.
// `make cover` runs the tests of this package without it, too.
const simulated = day
