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
// first begins a transaction, locks and loads; the second writes and commits. The
// level is READ COMMITTED: a statement that has waited for a row sees what was
// committed meanwhile. Locks are taken in the order records, users, and then what
// belongs to a user, which only changes while the user is locked.
//
// Each step has a bounded time. A step is tried again only if it certainly did not
// happen: the server rolled it back because of a conflict, or the connection broke
// before COMMIT was sent. Errors contain neither the DSN nor stored values.
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
