// Command attacks writes docs/security-tests.md: the tests of attacks with the first
// sentence of their comments. These are the tests whose names begin with
// TestHardening, and all tests and fuzz targets in files named hardening*_test.go.
package main
