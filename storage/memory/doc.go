// Package memory keeps a realm in the memory of one process: for tests, for
// demonstrations, and for deployments that may lose everything at a restart.
//
// It provides three things:
//
//   - Store, an authcore.Store: the steps of package kv on ordered entries, with
//     one transaction at a time and an undo log;
//   - Counters, an authcore.Counters with a bound, on
//     github.com/patrickmn/go-cache;
//   - Watchers, which notify the callers of WatchRevocations within one process.
//
// Durable engines that serve one process use Counters and Watchers too.
//
// The package starts no goroutine. Items expire by the time that callers pass,
// and Sweep deletes them. Counters have a limit on their number. Records grow
// with requests, which the layers above limit. Users and sessions grow with
// successful logins only.
package memory
