package authcore

import "time"

// Counter names something that is counted within a window of time. Limit, Party
// and Window together identify it.
type Counter struct {
	// Limit is the name of the limit, one of a few. An engine bounds the number of
	// counters for each limit, so that many counters of one limit evict none of
	// another.
	Limit string
	// Party is the party that is limited: an address, a client, a session.
	Party  string
	Window time.Duration
	// Add is added to the counter: 1 counts an event, -1 takes one back, and 0
	// reads the value.
	Add int
}

// Tally is the value of a counter and the time at which it is zero again. Reset is
// in the node's time.
type Tally struct {
	N     int
	Reset time.Time
}
