// Package postgres keeps realms in a PostgreSQL database, which any number of nodes
// share. It needs PostgreSQL 13 or newer and nothing of it but tables.
//
// It owns one schema of the database: the tables of all realms, with the realm as
// the first column of every key, and the migrations that make them. It does not own
// a clock (time is passed in) and keeps nothing in memory.
//
// A call is one statement, or one transaction that is sent in as few messages as
// can be: only a call with a function that decides (UpdateUser, UpdateFlow,
// EndSessions, UpdateKeys) needs a second one. What must happen once is left to the
// locks of rows and to constraints, at the level READ COMMITTED: a statement that
// has waited for a row looks at it again, and one that comes later in a transaction
// sees what was committed meanwhile. Locks are taken in this order, so that calls
// do not wait for each other in circles: the user, its sessions by id, the feed of
// revocations. What the server breaks off because of others (a deadlock, a conflict)
// is tried again within the time of the call.
//
// Every call has a bounded time, whatever time its caller has: a server that is
// frozen or cut off shows as authcore.ErrUnavailable. A step that failed so may
// have happened. Errors never have the DSN in them, nor what was to be stored.
//
// Revocations are numbered by a row that stays locked until the commit, so that a
// cursor never passes an entry that is not yet visible; see docs/decisions/0013.
// NOTIFY tells the nodes, whose watches have connections of their own.
//
// Texts that identify something are stored as they are, and with a NUL or without
// valid UTF-8 not at all; in those that are only shown such bytes are replaced.
// Times are kept to the microsecond, rounded down.
package postgres
