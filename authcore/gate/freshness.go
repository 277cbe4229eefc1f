package gate

import "time"

// Refreshed records that the copy contains everything that was revoked before the
// time at, by the clock of this node. It is called by the one goroutine that fills
// the copy, after the entries that it read were applied; at is the time at which
// that reading began.
func (r *Revocations) Refreshed(at time.Time) {
	r.applying.Lock()
	r.log.stamp(at.Unix())
	r.applying.Unlock()
	r.refreshed.Store(at.UnixNano())
}

// RefreshedAt returns the argument of the last call of Refreshed, or 1970.
func (r *Revocations) RefreshedAt() time.Time { return time.Unix(0, r.refreshed.Load()) }

// isStale reports whether the copy is older than most. It costs one atomic load. A
// copy from the future is stale, too: a clock that was set back must not hide
// that nothing arrives any more.
func (r *Revocations) isStale(now time.Time, most time.Duration) bool {
	age := now.UnixNano() - r.refreshed.Load()
	return age > int64(most) || age < -int64(most)
}
