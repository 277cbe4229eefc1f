// Command testsum reads the events of `go test -json` from its standard input,
// prints the relevant ones for a reader, and adds the counts to a file:
//
//	go test -json ./... | testsum -counts FILE
//
// The file contains one line per run, "passed failed skipped". Lines that are not
// events are printed unchanged. The exit code is 1 if a test or a package failed.
package main
