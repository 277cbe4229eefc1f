package memory

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// MaxCounters is how many counters of one limit are kept at once; with the
// parties that limits use they take some 20 MB.
const MaxCounters = 100_000

// Counters is an authcore.Counters in the memory of one process, safe for
// concurrent use.
//
// Counting is what an attacker can do without being anybody, so the number of
// counters of each limit is bounded by MaxCounters. A counter is forgotten as
// soon as a call comes after its window has passed. When all of a limit are
// live, a new one takes the place of the one that would be zero again first: the
// one that protects for the shortest time anyway. The counters of other limits
// stay.
type Counters struct {
	mu     sync.Mutex
	max    int
	limits map[string]*limitTable
}

// limitTable holds the counters of one limit.
type limitTable struct {
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
	return &Counters{max: MaxCounters, limits: map[string]*limitTable{}}
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
	table := c.limits[name.Limit]
	if table == nil {
		table = &limitTable{byName: map[authcore.Counter]*count{}}
		c.limits[name.Limit] = table
	}
	end := now.Add(name.Window)
	known, found := table.byName[name]
	if !found {
		if len(table.byName) >= c.max {
			table.drop()
		}
		known = &count{name: name, tally: authcore.Tally{Reset: end}}
		table.byName[name] = known
		heap.Push(&table.queue, known)
	}
	if known.tally.Reset.After(end) {
		known.tally.Reset = end
		heap.Fix(&table.queue, known.place)
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
	for _, table := range c.limits {
		for len(table.queue) > 0 && !now.Before(table.queue[0].tally.Reset) {
			table.drop()
		}
	}
}

// drop forgets the counter that is zero again before all others.
func (t *limitTable) drop() {
	if first, ok := heap.Pop(&t.queue).(*count); ok {
		delete(t.byName, first.name)
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
