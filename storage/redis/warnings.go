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

// Warnings reports, in one sentence each, settings of the Redis that lose
// acknowledged data, and what could not be examined. It needs the rights to run INFO
// and CONFIG GET. The error wraps authcore.ErrUnavailable.
func (db *DB) Warnings(ctx context.Context) ([]string, error) {
	var mu sync.Mutex
	var all []string
	err := db.eachPrimary(ctx, func(ctx context.Context, server *goredis.Client) error {
		warnings, err := warningsOf(ctx, server)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, warnings...)
		return err
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// eachPrimary examines each primary within the timeout of a call.
func (db *DB) eachPrimary(ctx context.Context, examine func(context.Context, *goredis.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	if err := db.onPrimaries(ctx, examine); err != nil {
		return unavailable(cause(ctx, err))
	}
	return nil
}

// onPrimaries examines the primaries of a Cluster simultaneously, or the only one.
func (db *DB) onPrimaries(ctx context.Context, examine func(context.Context, *goredis.Client) error) error {
	switch client := db.client.(type) {
	case *goredis.ClusterClient:
		return client.ForEachMaster(ctx, examine)
	case *goredis.Client:
		return examine(ctx, client)
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
		return nil, errors.New("the server is a replica and refuses changes; name the primary, or set sentinel")
	}
	var warnings []string
	warn := func(format string, values ...any) { warnings = append(warnings, fmt.Sprintf(format, values...)) }
	if info["aof_enabled"] != "1" {
		warn("appendonly is not on: if Redis ends, everything since its last snapshot is lost, used links and logouts as well; " +
			"set appendonly yes")
	} else if setting, err := server.ConfigGet(ctx, "appendfsync").Result(); err != nil {
		warn("appendfsync could not be read, because the user may not run CONFIG GET; make sure that it is always or everysec")
	} else if value := setting["appendfsync"]; value != "always" && value != "everysec" {
		warn("appendfsync is %s: if the machine fails, up to half a minute of changes is lost; "+
			"set everysec (up to 2 s are lost) or always (nothing is lost)", value)
	}
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && policy != "noeviction" {
		warn("maxmemory-policy is %s: if the memory is full, Redis deletes accounts or revocations; set noeviction", policy)
	}
	if replicas := info["connected_slaves"]; replicas != "0" && replicas != "" && info["min_slaves_good_slaves"] == "" {
		warn("there are replicas, and min-replicas-to-write is 0: a primary that is cut off keeps acknowledging changes, " +
			"which are lost when a replica takes over; set min-replicas-to-write 1")
	}
	return warnings, nil
}

// parseInfo reads the response to INFO.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	return info
}
