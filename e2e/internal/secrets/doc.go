// Package secrets collects the secrets of a test, so that the log of the process
// under test can be searched for them.
package secrets
