// Package postgres keeps realms in a PostgreSQL database that any number of nodes
// share. It needs PostgreSQL 13 or newer.
//
// # Tables
//
// The package owns one schema of the database. A row keeps an item as a JSON
// document and has index columns only where a query needs them, so that a new field
// or a new kind of record changes no SQL.
//
// # Steps
//
// A read is one statement. A step that decides in Go takes two round trips: the
// first loads, without locks, and the second stores all changes as one transaction.
// The second ends without effect if a concurrent step has changed the account (a
// version in the row of the user) or the proof; then the step is tried again, and
// locks the user first. A node that halts between the two delays no other node.
//
// Whatever belongs to a user changes only together with the version of the user,
// except for the last activity of a session. Steps lock users before records.
//
// Each step has a bounded time. A step is tried again only if it certainly did not
// happen: the server rolled it back because of a conflict, or the connection broke
// before anything was sent that commits. Errors contain neither the DSN nor stored
// values.
//
// # Feed
//
// An entry of the feed carries the number of its transaction. A cursor is a
// snapshot: the set of transactions that its holder has seen. Entries are therefore
// never missed although transactions commit in another order than that of their
// numbers, and no lock is held to the commit. Notifications are sent after the
// commit, because NOTIFY serializes the commits of its transactions. Feed and
// watches use connections of their own, so that a busy pool delays no revocation.
//
// # Clocks
//
// Counters and the sweep use the clock of the server; everything else uses the time
// that the caller passes.
package postgres
