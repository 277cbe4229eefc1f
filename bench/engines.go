package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/edgeauth/edgeauth/bench/internal/host"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// Both servers have on disk what they have answered, as bolt has.
const (
	postgresSettings = "`fsync=on`, `synchronous_commit=on`, `full_page_writes=on`"
	redisSettings    = "`appendonly yes`, `appendfsync always`"
)

// engineServers are where the servers of engines are; "" for one that is not
// installed.
type engineServers struct {
	postgres, redis string
	// missing says what was left out, for the report.
	missing []string
	stops   []func() error
}

// startEngines starts a server of each engine that is installed. What is missing
// is told and left out.
func (b *bench) startEngines(ctx context.Context) (servers engineServers, err error) {
	for name, start := range map[string]func(testing.TB){
		"PostgreSQL": func(tb testing.TB) { //nolint:contextcheck // tb has it
			tb.Helper()
			servers.postgres = pgtest.Start(tb,
				"fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on", "shared_buffers=128MB").Database(tb)
		},
		"Redis": func(tb testing.TB) { //nolint:contextcheck // as above
			tb.Helper()
			servers.redis = redistest.Start(tb, "appendonly yes", "appendfsync always").URL()
		},
	} {
		stop, err := host.Run(ctx, start)
		switch {
		case errors.Is(err, host.ErrSkipped):
			b.progress("%s IS LEFT OUT: %v", name, err)
			servers.missing = append(servers.missing, fmt.Sprintf("%s was left out: %v.", name, err))
		case err != nil:
			return servers, errors.Join(fmt.Errorf("start %s: %w", name, err), servers.stop())
		default:
			servers.stops = append(servers.stops, stop)
		}
	}
	return servers, nil
}

func (s *engineServers) stop() error {
	var faults []error
	for _, stop := range s.stops {
		faults = append(faults, stop())
	}
	s.stops = nil
	return errors.Join(faults...)
}

// storages returns the names of the stores that can be measured.
func (s *engineServers) storages() []string {
	names := []string{"memory", "bolt"}
	if s.postgres != "" {
		names = append(names, "postgres")
	}
	if s.redis != "" {
		names = append(names, "redis")
	}
	return names
}

// option is the line of the Caddyfile for an empty store: each run gets a part of
// the server for itself.
func (s *engineServers) option(storage, dir string) string {
	switch part := filepath.Base(dir); storage {
	case "bolt":
		return "storage bolt " + filepath.Join(dir, "edgeauth.db")
	case "postgres":
		return fmt.Sprintf("storage postgres %q {\n schema %q\n}", s.postgres, part)
	case "redis":
		return fmt.Sprintf("storage redis %q {\n key_prefix %q\n}", s.redis, part+":")
	default:
		return "storage " + storage
	}
}
