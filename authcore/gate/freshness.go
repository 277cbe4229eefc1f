package gate

import "time"

// Refreshed notes that at the time at everything that was revoked anywhere is
// in the copy. It is called by whoever feeds the copy, in order.
func (r *Revocations) Refreshed(at time.Time) { r.refreshed.Store(at.UnixNano()) }

// RefreshedAt returns the time that Refreshed was told last; it is 1970 before.
func (r *Revocations) RefreshedAt() time.Time { return time.Unix(0, r.refreshed.Load()) }

// isStale reports whether the copy is older than most allows. It is one atomic
// load. A copy from the future is as bad as an old one: a clock that was turned
// back must not hide that nothing arrives any more.
func (r *Revocations) isStale(now time.Time, most time.Duration) bool {
	age := now.UnixNano() - r.refreshed.Load()
	return age > int64(most) || age < -int64(most)
}
