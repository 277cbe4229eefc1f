package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxParty is the longest party that is stored as it is.
const maxParty = 500

// Count adds one to each counter. See authcore.Counters. All nodes count together,
// in the order of the counters' names, so that two calls do not wait for each
// other. A call does not wait for the disk: a server that crashes forgets what was
// counted in its last moments, and nothing else.
func (s *Store) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if len(counters) == 0 {
		return nil, nil
	}
	times := make(map[authcore.Counter]int, len(counters))
	for _, counter := range counters {
		times[counterKey(counter)]++
	}
	var limits, parties []string
	var windows, adds []int64
	var resets []time.Time
	for _, counter := range sortedCounters(times) {
		limits, parties = append(limits, counter.Limit), append(parties, counter.Party)
		windows, adds = append(windows, int64(counter.Window)), append(adds, int64(times[counter]))
		resets = append(resets, stamp(now.Add(counter.Window)))
	}
	rows, err := all(ctx, s, pgx.RowToStructByPos[counterRow], `
		INSERT INTO @.counters AS c (realm, limit_name, party, window_ns, n, reset)
		SELECT $1, v.limit_name, v.party, v.window_ns, v.n, v.reset
		FROM (SELECT set_config('synchronous_commit', 'off', true)) AS fast,
			unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[]) WITH ORDINALITY
				AS v (limit_name, party, window_ns, n, reset, place)
		ORDER BY v.place
		ON CONFLICT (realm, limit_name, party, window_ns) DO UPDATE SET
			n = CASE WHEN c.reset > $7 THEN c.n + EXCLUDED.n ELSE EXCLUDED.n END,
			reset = CASE WHEN c.reset > $7 THEN c.reset ELSE EXCLUDED.reset END
		RETURNING limit_name, party, window_ns, n, reset`,
		s.realm, limits, parties, windows, adds, resets, stamp(now))
	if err != nil {
		return nil, err
	}
	return tallies(counters, times, rows)
}

type counterRow struct {
	Limit, Party string
	Window       int64
	N            int
	Reset        time.Time
}

// tallies gives each counter its value, and one that was given several times a
// value for each.
func tallies(counters []authcore.Counter, times map[authcore.Counter]int, rows []counterRow) ([]authcore.Tally, error) {
	stored := make(map[authcore.Counter]authcore.Tally, len(rows))
	for _, row := range rows {
		key := authcore.Counter{Limit: row.Limit, Party: row.Party, Window: time.Duration(row.Window)}
		stored[key] = authcore.Tally{N: row.N - times[key], Reset: row.Reset}
	}
	result := make([]authcore.Tally, 0, len(counters))
	for _, counter := range counters {
		key := counterKey(counter)
		tally, found := stored[key]
		if !found {
			return nil, unavailable(errors.New("a counter is missing"))
		}
		tally.N++
		stored[key] = tally
		result = append(result, tally)
	}
	return result, nil
}

// counterKey is the counter as it is stored: a party that cannot be kept, or that
// is too long for an index, is counted by its hash.
func counterKey(counter authcore.Counter) authcore.Counter {
	counter.Limit = tidy(counter.Limit)
	if len(counter.Party) > maxParty || !storable(counter.Party) {
		hash := sha256.Sum256([]byte(counter.Party))
		counter.Party = "sha256:" + hex.EncodeToString(hash[:])
	}
	return counter
}

func sortedCounters(times map[authcore.Counter]int) []authcore.Counter {
	sorted := make([]authcore.Counter, 0, len(times))
	for counter := range times {
		sorted = append(sorted, counter)
	}
	slices.SortFunc(sorted, func(a, b authcore.Counter) int {
		if c := strings.Compare(a.Limit, b.Limit); c != 0 {
			return c
		}
		if c := strings.Compare(a.Party, b.Party); c != 0 {
			return c
		}
		return int(min(max(a.Window-b.Window, -1), 1))
	})
	return sorted
}
