package authcore

import "time"

// Counter names something to be counted within a window of time. The three
// fields together identify it.
type Counter struct {
	// Limit is the name of the limit, one of a few. A back end that bounds how
	// many counters it keeps does so for each limit: whoever makes many counters
	// for one limit pushes out none of another.
	Limit string
	// Party is who is limited: an address, a client, a session.
	Party  string
	Window time.Duration
}

// Tally is the value of a counter and the time at which it is zero again.
type Tally struct {
	N     int
	Reset time.Time
}
