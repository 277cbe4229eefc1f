// Package command contains the commands that work on a running server through its
// operators' API, and those that need no server. It does not know Caddy: the caller
// finds the admin endpoint; see [Connect].
//
// Commands print tables for people, and with --json one JSON object per line for
// programs. Errors are returned as sentences; see [ExitCode].
package command
