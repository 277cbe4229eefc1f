package postgres

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// maxCounters limits the counters of one limit. The ones that end first are
	// evicted.
	maxCounters = 1 << 18
	// evictEvery is the number of new counters after which a node evicts.
	evictEvery = 1000
)

// Statements that count up, count down, and read. They return the value, the
// microseconds until it is zero, and whether the counter is new. A window that ends
// too late, because the server's clock was set back, counts as ended; a concurrent
// step may have opened it some seconds later.
const (
	open    = `c.n > 0 AND c.reset > statement_timestamp() AND c.reset <= statement_timestamp() + $4 * interval '1 microsecond' + interval '10 s'`
	rest    = ` c.n, (extract(epoch FROM c.reset - statement_timestamp()) * 1000000)::bigint, `
	countUp = `INSERT INTO @.counters AS c (realm, key, limit_name, n, reset)
		VALUES ($1, $2, $3, $5, statement_timestamp() + $4 * interval '1 microsecond')
		ON CONFLICT (key, realm) DO UPDATE SET
			n = CASE WHEN ` + open + ` THEN least(c.n::bigint + EXCLUDED.n, 2147483647)::integer ELSE EXCLUDED.n END,
			reset = CASE WHEN ` + open + ` THEN c.reset ELSE EXCLUDED.reset END
		RETURNING` + rest + `c.xmax = '0'`
	countDown = `UPDATE @.counters AS c SET n = greatest(c.n + $3, 0) WHERE c.realm = $1 AND c.key = $2 AND ` + open + ` RETURNING` + rest + `false`
	countRead = `SELECT` + rest + `false FROM @.counters AS c WHERE c.realm = $1 AND c.key = $2 AND $3 = 0 AND ` + open
)

type tallyRow struct {
	N    int
	Rest int64
	New  bool
}

// Count adds to counters. See authcore.Counters. It does not wait for the disk.
// Counters are locked in the order of their keys, so that calls do not wait in a
// circle.
func (s *Store) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	keys, order := make([][]byte, len(counters)), make([]int, len(counters))
	for i, c := range counters {
		digest := authcore.DigestOf("counter", c.Limit, c.Party, c.Window.String())
		keys[i], order[i] = digest[:], i
	}
	slices.SortStableFunc(order, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	var tallies []authcore.Tally
	var added map[string]bool
	err := s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		tallies, added = make([]authcore.Tally, len(counters)), make(map[string]bool)
		for _, i := range order {
			name := strings.ReplaceAll(strings.ToValidUTF8(counters[i].Limit, ""), "\x00", "")
			s.queueCount(t, counters[i], name, keys[i]).Query(func(rows pgx.Rows) error {
				found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tallyRow])
				tallies[i].Reset = now
				for _, row := range found {
					tallies[i] = authcore.Tally{N: row.N, Reset: now}
					if row.N > 0 {
						tallies[i].Reset = now.Add(time.Duration(row.Rest) * time.Microsecond)
					}
					if row.New {
						added[name] = true
					}
				}
				return err
			})
		}
		return t.commit(ctx)
	})
	if err != nil {
		return nil, err
	}
	for name := range added {
		if s.added.Add(1)%evictEvery == 0 {
			if err := s.evict(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	return tallies, nil
}

func (s *Store) queueCount(t *tx, counter authcore.Counter, name string, key []byte) *pgx.QueuedQuery {
	window := counter.Window.Microseconds()
	switch {
	case counter.Add > 0:
		return t.queue(countUp, s.realm, key, name, window, min(counter.Add, 1<<31-1))
	case counter.Add < 0:
		return t.queue(countDown, s.realm, key, max(counter.Add, -1<<31), window)
	}
	return t.queue(countRead, s.realm, key, 0, window)
}

// evict deletes the counters of a limit beyond the maximum.
func (s *Store) evict(ctx context.Context, name string) error {
	_, err := s.exec(ctx, unlocked("counters", `ctid = ANY (ARRAY(
		SELECT ctid FROM @.counters WHERE realm = $1 AND limit_name = $2 ORDER BY reset DESC OFFSET $3))`), s.realm, name, s.db.maxCounters)
	return err
}
