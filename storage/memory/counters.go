package memory

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// MaxCounters is how many counters are kept at once; with the keys that limits
// use they take some 20 MB.
const MaxCounters = 100_000

// Counters is an authcore.Counters in the memory of one process, safe for
// concurrent use. A counter is told from others by its key and its window.
//
// Counting is what an attacker can do without being anybody, so the number of
// counters is bounded by MaxCounters. A counter is forgotten as soon as a call
// comes after its window has passed. When all are live, a new one takes the
// place of the one that would be zero again first: the one that protects for
// the shortest time anyway.
type Counters struct {
	mu     sync.Mutex
	max    int
	byName map[authcore.Counter]*count
	queue  resetQueue
}

type count struct {
	name  authcore.Counter
	tally authcore.Tally
	// place in the queue
	place int
}

// NewCounters returns counters that are all zero.
func NewCounters() *Counters {
	return &Counters{max: MaxCounters, byName: make(map[authcore.Counter]*count)}
}

// Count adds one to each counter. See authcore.Counters.
//
// When the clock has jumped back, a window that was opened before the jump would
// last for as long as the jump was wide. It is cut to end one window from now;
// its value stays, so that turning the clock frees nobody from a limit.
func (c *Counters) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := contextError(ctx); err != nil {
		return nil, err
	}
	now = wall(now)
	c.forget(now)
	tallies := make([]authcore.Tally, len(counters))
	for i, name := range counters {
		tallies[i] = c.add(name, now)
	}
	return tallies, nil
}

func (c *Counters) add(name authcore.Counter, now time.Time) authcore.Tally {
	end := now.Add(name.Window)
	known, found := c.byName[name]
	if !found {
		if len(c.byName) >= c.max {
			c.drop()
		}
		known = &count{name: name, tally: authcore.Tally{Reset: end}}
		c.byName[name] = known
		heap.Push(&c.queue, known)
	}
	if known.tally.Reset.After(end) {
		known.tally.Reset = end
		heap.Fix(&c.queue, known.place)
	}
	known.tally.N++
	return known.tally
}

// sweep forgets the counters whose window has passed.
func (c *Counters) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
}

func (c *Counters) forget(now time.Time) {
	for len(c.queue) > 0 && !now.Before(c.queue[0].tally.Reset) {
		c.drop()
	}
}

// drop forgets the counter that is zero again before all others.
func (c *Counters) drop() {
	if first, ok := heap.Pop(&c.queue).(*count); ok {
		delete(c.byName, first.name)
	}
}

// resetQueue is a heap (container/heap) with the next counter to be zero first.
type resetQueue []*count

func (q resetQueue) Len() int           { return len(q) }
func (q resetQueue) Less(i, j int) bool { return q[i].tally.Reset.Before(q[j].tally.Reset) }

func (q resetQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push is called by container/heap alone.
func (q *resetQueue) Push(x any) {
	if c, ok := x.(*count); ok {
		c.place = len(*q)
		*q = append(*q, c)
	}
}

// Pop is called by container/heap alone.
func (q *resetQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return c
}

var _ authcore.Counters = (*Counters)(nil)
