package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// Warnings says how the Redis would lose what it has acknowledged, one sentence
// for each setting, and what could not be found out. It needs the right to run
// INFO, and for the whole truth CONFIG GET. The error wraps
// authcore.ErrUnavailable.
func (db *DB) Warnings(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var mu sync.Mutex
	var all []string
	err := db.eachPrimary(ctx, func(ctx context.Context, server *goredis.Client) error {
		warnings, err := warningsOf(ctx, server)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, warnings...)
		return err
	})
	if err != nil {
		return nil, unavailable(cause(ctx, err))
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// eachPrimary looks at every primary of a Cluster at once, or at the one that there
// is.
func (db *DB) eachPrimary(ctx context.Context, look func(context.Context, *goredis.Client) error) error {
	switch client := db.client.(type) {
	case *goredis.ClusterClient:
		return client.ForEachMaster(ctx, look)
	case *goredis.Client:
		return look(ctx, client)
	default:
		return fmt.Errorf("unexpected client %T", client)
	}
}

func warningsOf(ctx context.Context, server *goredis.Client) ([]string, error) {
	text, err := server.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	info := parseInfo(text)
	if info["role"] == "slave" && info["cluster_enabled"] != "1" { // a Cluster leads to the primary
		return nil, errors.New("the server is a replica, which takes no changes: name the primary, or the option sentinel")
	}
	var warnings []string
	warn := func(format string, values ...any) { warnings = append(warnings, fmt.Sprintf(format, values...)) }
	if info["aof_enabled"] != "1" {
		warn("appendonly is not on: when Redis ends, everything since its last snapshot is lost, used links and logouts too; " +
			"set appendonly yes")
	} else if setting, err := server.ConfigGet(ctx, "appendfsync").Result(); err != nil {
		warn("appendfsync could not be looked up, because the user may not run CONFIG GET: see that it is always or everysec")
	} else if value := setting["appendfsync"]; value != "always" && value != "everysec" {
		warn("appendfsync is %s: when the machine fails, everything that the system has not written by itself is lost, "+
			"up to half a minute; set everysec (up to 2 s are lost) or always (nothing is lost)", value)
	}
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && strings.HasPrefix(policy, "allkeys-") {
		warn("maxmemory-policy is %s: when the memory is full, Redis drops accounts; set noeviction", policy)
	}
	if replicas := info["connected_slaves"]; replicas != "0" && replicas != "" && info["min_slaves_good_slaves"] == "" {
		warn("there are replicas, and min-replicas-to-write is 0: a primary that is cut off goes on answering, " +
			"and what it has answered is lost when a replica takes over; set min-replicas-to-write 1")
	}
	return warnings, nil
}

// parseInfo reads the answer to INFO.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	return info
}
