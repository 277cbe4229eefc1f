package redis

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// scanCount is the number of keys that the server examines in one step of a scan.
const scanCount = 1000

// Realms returns the names of the realms below the prefix, sorted. It examines all
// keys of the server, also those of other programs.
func (db *DB) Realms(ctx context.Context) ([]string, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.calls.Done()
	var mu sync.Mutex
	var names []string
	scan := func(ctx context.Context, client *goredis.Client) error {
		// The prefix contains nothing that a pattern interprets.
		all := client.Scan(ctx, 0, db.keyPrefix+"{*}:meta", scanCount).Iterator()
		for all.Next(ctx) {
			if name, ok := db.realmOf(all.Val()); ok {
				mu.Lock()
				names = append(names, name)
				mu.Unlock()
			}
		}
		return all.Err()
	}
	if err := db.onPrimaries(ctx, scan); err != nil {
		return nil, unavailable(cause(ctx, err))
	}
	slices.Sort(names)
	return slices.Compact(names), nil // a scan may return a key twice
}

// realmOf is the inverse of the way in which Realm names the key of meta.
func (db *DB) realmOf(key string) (string, bool) {
	tag, isMeta := strings.CutSuffix(strings.TrimPrefix(key, db.keyPrefix), "}:meta")
	escaped, isTag := strings.CutPrefix(tag, "{")
	name, err := url.PathUnescape(escaped)
	return name, isMeta && isTag && err == nil && escape(name) == escaped
}
