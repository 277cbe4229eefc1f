package redis

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Counters of one limit are spread over counterHashes small hashes, each of which
// keeps countersPerHash: about 100,000 counters, 10 MB. More push out those that
// end first. Which counters share a hash depends on a secret of the realm, so that
// clients cannot choose whose counter they push out.
const (
	counterHashes   = 1024
	countersPerHash = 100
)

type counterBounds struct{ hashes, perHash int }

// Count counts events. See [authcore.Counters]. Windows end by the clock of Redis.
func (s *Store) Count(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
	if len(counters) == 0 {
		return nil, nil
	}
	keys, arguments := make([]string, len(counters)), []string{strconv.Itoa(s.db.counters.perHash)}
	for i, counter := range counters {
		sum := sha256.Sum256([]byte(s.epoch + " " + counter.Window.String() + " " + counter.Party))
		hash := int(binary.BigEndian.Uint32(sum[:])) % s.db.counters.hashes
		keys[i] = s.key("c:", strconv.Itoa(hash), ":", counter.Limit)
		window := strconv.FormatInt(max(1, counter.Window.Milliseconds()), 10)
		arguments = append(arguments, string(sum[4:20]), window, strconv.Itoa(counter.Add))
	}
	answer, err := s.elements(ctx, 2*len(counters), "count", keys, arguments...)
	if err != nil {
		return nil, err
	}
	tallies := make([]authcore.Tally, len(counters))
	for i := range tallies {
		n, _ := answer[2*i].(int64)
		left, _ := answer[2*i+1].(int64)
		tallies[i] = authcore.Tally{N: int(n), Reset: now.Add(time.Duration(left) * time.Millisecond)}
	}
	return tallies, nil
}
