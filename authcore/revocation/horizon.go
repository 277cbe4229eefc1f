package revocation

import (
	"sync"
	"time"
)

// Times of a Horizon.
const (
	// tolerance is the deviation of the clock that counts as normal, from
	// adjustments and from the rounding of times.
	tolerance = 30 * time.Second
	// settle is the time after which a clock that jumped forward is believed.
	settle = 24 * time.Hour
)

// Horizon limits the wall clock by the monotonic clock, for decisions that cannot
// be undone: what has expired by a Horizon may be deleted. If the clock jumps
// forward, the horizon continues at the old pace for a day and then follows. If
// the clock jumps back, it follows immediately.
//
// The time at which the process starts has to be believed.
type Horizon struct {
	wall    func() time.Time
	elapsed func() time.Duration

	mu sync.Mutex
	// anchor is the horizon when elapsed returned anchored.
	anchor   time.Time
	anchored time.Duration
	// ahead is set while the clock is ahead of the horizon, since aheadSince.
	ahead      bool
	aheadSince time.Duration
	rewinds    int
}

// NewHorizon returns a Horizon of a wall clock. Elapsed measures time since some
// moment, whatever happens to the wall clock; nil means the monotonic clock of
// package time.
func NewHorizon(wall func() time.Time, elapsed func() time.Duration) *Horizon {
	if elapsed == nil {
		start := time.Now()
		elapsed = func() time.Duration { return time.Since(start) }
	}
	return &Horizon{wall: wall, elapsed: elapsed, anchor: wall(), anchored: elapsed()}
}

// Now returns the horizon.
func (h *Horizon) Now() time.Time {
	now, _ := h.read()
	return now
}

// read returns the horizon, and how often the clock went back.
func (h *Horizon) read() (now time.Time, rewinds int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wall, elapsed := h.wall(), h.elapsed()
	expected := h.anchor.Add(elapsed - h.anchored)
	switch deviation := wall.Sub(expected); {
	case deviation <= tolerance:
		if h.ahead || deviation < -tolerance {
			h.rewinds++
		}
	case !h.ahead:
		h.ahead, h.aheadSince = true, elapsed
		return expected, h.rewinds
	case elapsed-h.aheadSince < settle:
		return expected, h.rewinds
	}
	h.anchor, h.anchored, h.ahead = wall, elapsed, false
	return wall, h.rewinds
}
