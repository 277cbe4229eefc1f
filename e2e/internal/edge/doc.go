// Package edge runs the built binary as a child process, the way an operator
// runs it: with a Caddyfile, a data directory, environment variables, signals,
// and the subcommands reload and validate.
//
// It does not depend on what the process serves.
package edge
