package revocation

import (
	"testing"
	"time"
)

const day = 24 * time.Hour

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// clocks are a wall clock and a monotonic clock that are set by hand.
type clocks struct {
	wall    time.Time
	elapsed time.Duration
}

func newClocks() *clocks { return &clocks{wall: start} }

func (c *clocks) now() time.Time          { return c.wall }
func (c *clocks) since() time.Duration    { return c.elapsed }
func (c *clocks) advance(d time.Duration) { c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d }
func (c *clocks) jump(d time.Duration)    { c.wall = c.wall.Add(d) }
func (c *clocks) horizon() *Horizon       { return NewHorizon(c.now, c.since) }

func TestHorizon(t *testing.T) {
	type step struct {
		advance, jump time.Duration
		// want is the horizon after the start, rewinds how often the clock went
		// back.
		want    time.Duration
		rewinds int
	}
	for name, steps := range map[string][]step{
		"steady":             {{advance: time.Hour, want: time.Hour}, {advance: 40 * day, want: 40*day + time.Hour}},
		"small adjustments":  {{advance: time.Hour, jump: 20 * time.Second, want: time.Hour + 20*time.Second}, {jump: -20 * time.Second, want: time.Hour}},
		"ahead and back":     {{jump: 40 * day, want: 0}, {advance: time.Hour, want: time.Hour}, {jump: -40 * day, want: time.Hour, rewinds: 1}},
		"ahead for a day":    {{jump: 40 * day, want: 0}, {advance: day - time.Second, want: day - time.Second}, {advance: time.Second, want: 41 * day}},
		"ahead, back, ahead": {{jump: 40 * day}, {advance: 20 * time.Hour, jump: -40 * day, want: 20 * time.Hour, rewinds: 1}, {jump: 40 * day, want: 20 * time.Hour, rewinds: 1}, {advance: 20 * time.Hour, want: 40 * time.Hour, rewinds: 1}},
		"back":               {{jump: -40 * day, want: -40 * day, rewinds: 1}, {advance: time.Hour, want: -40*day + time.Hour, rewinds: 1}},
		"back and ahead":     {{jump: -40 * day, want: -40 * day, rewinds: 1}, {jump: 40 * day, want: -40 * day, rewinds: 1}, {advance: day, want: day, rewinds: 1}},
		"unset at the start": {{jump: 20 * 365 * day, want: 0}, {advance: 2 * day, want: 20*365*day + 2*day}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClocks()
			h := c.horizon()
			for i, s := range steps {
				c.advance(s.advance)
				c.jump(s.jump)
				now, rewinds := h.read()
				if now.Sub(start) != s.want || rewinds != s.rewinds {
					t.Errorf("step %d: horizon is %s with %d rewinds, want %s with %d", i, now.Sub(start), rewinds, s.want, s.rewinds)
				}
			}
		})
	}
}

func TestHorizonOfRealClocks(t *testing.T) {
	before := time.Now()
	if now := NewHorizon(time.Now, nil).Now(); now.Before(before) || now.After(time.Now()) {
		t.Errorf("horizon is %s, want the time", now)
	}
}
