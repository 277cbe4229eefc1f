package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
)

// ClockSkews returns how far the clock of each primary is ahead of now, by the
// primary's address: all of a Cluster, and otherwise the one that there is. It
// needs the right to run TIME. The error wraps authcore.ErrUnavailable.
func (db *DB) ClockSkews(ctx context.Context, now func() time.Time) (map[string]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var mu sync.Mutex
	skews := map[string]time.Duration{}
	err := db.eachPrimary(ctx, func(ctx context.Context, server *goredis.Client) error {
		if err := server.Ping(ctx).Err(); err != nil { // it connects, which is no part of the round trip
			return err
		}
		begin := now()
		theirs, err := server.Time(ctx).Result()
		if err != nil {
			return err
		}
		skew := authcore.Skew(begin, theirs, now())
		mu.Lock()
		defer mu.Unlock()
		skews[server.Options().Addr] = skew
		return nil
	})
	if err != nil {
		return nil, unavailable(cause(ctx, err))
	}
	return skews, nil
}
