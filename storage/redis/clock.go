package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
)

// ClockSkews returns, by address, how far the clock of each primary is ahead of now.
// It needs the right to run TIME. The error wraps authcore.ErrUnavailable.
func (db *DB) ClockSkews(ctx context.Context, now func() time.Time) (map[string]time.Duration, error) {
	var mu sync.Mutex
	skews := make(map[string]time.Duration)
	err := db.eachPrimary(ctx, func(ctx context.Context, server *goredis.Client) error {
		if err := server.Ping(ctx).Err(); err != nil { // connects, which is not part of the round trip
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
	return skews, err
}
