// Package process runs one program as a child process: it starts it, waits until it
// is ready, signals it and waits for its end. Tests, end-to-end tests and benchmarks
// share it; it does not depend on package testing.
//
//	Start ──▶ Ready? ──▶ Signal, Stop, Kill ──▶ Done
package process
