package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines []string
		want  []string
	}{
		"durable":                 {nil, nil},
		"a sync a second":         {[]string{"appendfsync everysec"}, nil},
		"no log":                  {[]string{"appendonly no"}, []string{"appendonly is not on"}},
		"no sync":                 {[]string{"appendfsync no"}, []string{"appendfsync is no"}},
		"drops all":               {[]string{"maxmemory 1gb", "maxmemory-policy allkeys-lru"}, []string{"maxmemory-policy is allkeys-lru"}},
		"drops what expires":      {[]string{"maxmemory 1gb", "maxmemory-policy volatile-lru"}, []string{"maxmemory-policy is volatile-lru"}},
		"would drop, but has all": {[]string{"maxmemory 0", "maxmemory-policy allkeys-lru"}, nil},
		"two at once": {
			[]string{"appendonly no", "maxmemory 1gb", "maxmemory-policy allkeys-random"},
			[]string{"appendonly is not on", "maxmemory-policy is allkeys-random"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantWarnings(t, Config{URL: redistest.Start(t, test.lines...).URL()}, test.want...)
		})
	}
	t.Run("replicas", func(t *testing.T) {
		t.Parallel()
		group := redistest.StartGroup(t, 1)
		config := Config{URL: group.URL(), Sentinel: redistest.PrimaryName}
		wantWarnings(t, config, "min-replicas-to-write is 0")
		group.Servers[0].Do(t, "config", "set", "min-replicas-to-write", "1")
		wantWarnings(t, config)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.StartCluster(t)
		config := Config{URL: cluster.URL(), Cluster: true}
		wantWarnings(t, config)
		for _, server := range cluster.Servers[1:] {
			server.Do(t, "config", "set", "appendonly", "no")
		}
		wantWarnings(t, config, "appendonly is not on")
	})
	t.Run("a replica by itself", func(t *testing.T) {
		t.Parallel()
		group := redistest.StartGroup(t, 1)
		_, err := open(t, Config{URL: group.Servers[1].URL()}).Warnings(t.Context())
		if !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "is a replica") {
			t.Errorf("Warnings of a replica = error %v, want one that names the problem", err)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		server.Kill(t)
		if _, err := open(t, Config{URL: server.URL()}).Warnings(t.Context()); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("Warnings = error %v, want %v", err, authcore.ErrUnavailable)
		}
	})
}

func wantWarnings(t *testing.T, config Config, want ...string) {
	t.Helper()
	got, err := open(t, config).Warnings(t.Context())
	if err != nil || len(got) != len(want) {
		t.Fatalf("Warnings() = %q, error %v, want %q", got, err, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) && !strings.Contains(got[i], want[i]) {
			t.Errorf("Warnings()[%d] = %q, want %q", i, got[i], want[i])
		}
	}
}
