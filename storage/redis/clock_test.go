package redis

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

func TestClockSkews(t *testing.T) {
	t.Parallel()
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		wantSkews(t, Config{URL: redistest.Start(t).URL()}, 1)
	})
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		wantSkews(t, Config{URL: redistest.StartGroup(t, 1).URL(), Sentinel: redistest.PrimaryName}, 1)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.StartCluster(t)
		var addresses []string
		for _, server := range cluster.Servers {
			addresses = append(addresses, server.Address())
		}
		slices.Sort(addresses)
		got := wantSkews(t, Config{URL: cluster.URL(), Cluster: true}, len(addresses))
		if !slices.Equal(got, addresses) {
			t.Errorf("ClockSkews has servers %v, want %v", got, addresses)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		server.Kill(t)
		if _, err := open(t, Config{URL: server.URL()}).ClockSkews(t.Context(), time.Now); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("ClockSkews = error %v, want %v", err, authcore.ErrUnavailable)
		}
	})
}

// wantSkews returns the servers whose clocks were compared.
func wantSkews(t *testing.T, config Config, servers int) []string {
	t.Helper()
	db := open(t, config)
	var names []string
	for _, ahead := range []time.Duration{0, 90 * time.Second, -time.Hour} {
		begin := time.Now()
		skews, err := db.ClockSkews(t.Context(), func() time.Time { return time.Now().Add(-ahead) })
		if err != nil || len(skews) != servers {
			t.Fatalf("ClockSkews = %v, error %v, want %d servers", skews, err, servers)
		}
		for name, skew := range skews {
			if off := (skew - ahead).Abs(); off > time.Since(begin) {
				t.Errorf("ClockSkews()[%s] = %s, want %s", name, skew, ahead)
			}
		}
		names = slices.Sorted(maps.Keys(skews))
	}
	return names
}
