package authcore

import "time"

// Counter names something to be counted within a window of time.
type Counter struct {
	Key    string
	Window time.Duration
}

// Tally is the value of a counter and the time at which it is zero again.
type Tally struct {
	N     int
	Reset time.Time
}
