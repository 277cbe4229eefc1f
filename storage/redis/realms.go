package redis

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// scanCount is how many keys the server looks at in one step of a scan.
const scanCount = 1000

// Realms returns the names of the realms below the prefix, sorted, and makes none.
// It looks at all keys of the server, those of others too.
func (db *DB) Realms(ctx context.Context) ([]string, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.calls.Done()
	var mu sync.Mutex
	var names []string
	scan := func(ctx context.Context, client goredis.Cmdable) error {
		keys, err := db.metaKeys(ctx, client)
		mu.Lock()
		defer mu.Unlock()
		for _, key := range keys {
			if name, ok := db.realmOf(key); ok {
				names = append(names, name)
			}
		}
		return err
	}
	var err error
	if cluster, ok := db.client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, client *goredis.Client) error { return scan(ctx, client) })
	} else {
		err = scan(ctx, db.client)
	}
	if err != nil {
		return nil, unavailable(cause(ctx, err))
	}
	slices.Sort(names)
	return slices.Compact(names), nil // a scan may return a key twice
}

// metaKeys returns the keys that every realm has one of.
func (db *DB) metaKeys(ctx context.Context, client goredis.Cmdable) ([]string, error) {
	pattern := db.keyPrefix + "{*}:meta" // the prefix has nothing in it that means something here
	var found []string
	for cursor := uint64(0); ; {
		step, cancel := context.WithTimeout(ctx, callTimeout)
		keys, next, err := client.Scan(step, cursor, pattern, scanCount).Result()
		cancel()
		if err != nil {
			return nil, err
		}
		found = append(found, keys...)
		if next == 0 {
			return found, nil
		}
		cursor = next
	}
}

// realmOf is the reverse of how Realm names the meta key.
func (db *DB) realmOf(key string) (string, bool) {
	tag, isMeta := strings.CutSuffix(strings.TrimPrefix(key, db.keyPrefix), "}:meta")
	escaped, isTag := strings.CutPrefix(tag, "{")
	name, err := url.PathUnescape(escaped)
	return name, isMeta && isTag && err == nil && escape(name) == escaped
}
