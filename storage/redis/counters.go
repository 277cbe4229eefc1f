package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxCounters is how many counters of one limit are kept. Counting is what an
// attacker can do without being anybody; with more, the one that would be zero
// again first gives way. They take some 30 MB for each limit.
const maxCounters = 100_000

// Count adds one to each counter. See authcore.Counters.
//
// When the clock has jumped back, a window that was opened before the jump would
// last for as long as the jump was wide. It is cut to end one window from now;
// its value stays, so that turning the clock frees nobody from a limit.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if len(counters) == 0 {
		return nil, nil
	}
	arguments, queues := []string{stamp(now), strconv.Itoa(s.db.maxCounters)}, make([]string, 0, len(counters))
	for _, c := range counters {
		name := part(c.Limit) + part(c.Party) + c.Window.String()
		arguments = append(arguments, name, stamp(now.Add(c.Window)))
		queues = append(queues, s.tables[limitsTable]+":"+c.Limit)
	}
	result, err := s.runOn(ctx, s.db.scripts.count, queues, arguments...)
	if err != nil {
		return nil, err
	}
	tallies := make([]authcore.Tally, len(counters))
	for i := range tallies {
		reset, err := parseStamp(result.text(2 * i))
		if err != nil {
			return nil, unavailable(errors.New("a counter is damaged"))
		}
		tallies[i] = authcore.Tally{N: result.number(2*i + 1), Reset: reset}
	}
	return tallies, nil
}
