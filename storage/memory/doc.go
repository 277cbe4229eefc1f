// Package memory keeps a realm in the memory of one process: for tests, for
// demonstrations, and for deployments that may forget everything at a restart.
//
// It owns three things:
//
//   - Store, an authcore.Store on github.com/patrickmn/go-cache;
//   - Counters, an authcore.Counters with a bound, which durable stores of a
//     single process use too;
//   - Watchers, which tells the callers of WatchRevocations within one process
//     that there may be something new.
//
// It does not own a clock or a goroutine. Time is passed in by the caller, so
// go-cache runs without its janitor and without expiration of its own: whether
// an item is live is decided here, by the time of the call, and Sweep is what
// forgets.
//
// Data flows through one mutex. go-cache locks each of its own calls, but has no
// operation that takes an item or that keeps two tables in step; holding the
// mutex for the whole of a method is what makes the method one atomic step.
// Values are stored as values and copied on the way in and out.
//
// What an attacker could grow is bounded: counters here, by a maximum; links and
// flows by the limits that the layers above enforce with those counters, and by
// Sweep. Users, sessions and revocations grow with successful logins alone.
package memory
