package authcore

import "time"

// Skew returns how far a clock is ahead of ours. It showed theirs in an answer to
// a request that we sent at begin and had the answer to at end: somewhere in
// between, and the middle is wrong by half of that time at most.
func Skew(begin, theirs, end time.Time) time.Duration {
	return theirs.Sub(begin.Add(end.Sub(begin) / 2))
}

// Clock returns a clock whose times have no monotonic part, so that times compare alike
// before and after they were stored. Nil means time.Now.
func Clock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().Round(0).UTC() }
}
