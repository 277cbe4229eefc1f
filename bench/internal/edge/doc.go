// Package edge runs the server under test as a child process and reads what it
// costs: processor time, memory, allocations, profiles. It needs Linux.
//
// It owns the process, its folder and its ports. It does not own what the
// Caddyfile says.
package edge
