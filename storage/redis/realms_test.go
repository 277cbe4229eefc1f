package redis

import (
	"slices"
	"testing"

	"github.com/edgeauth/edgeauth/internal/redistest"
)

func TestRealms(t *testing.T) {
	for name, config := range map[string]Config{
		"server":  {URL: redistest.Start(t, "appendonly no").URL(), KeyPrefix: "odd:"},
		"cluster": {URL: redistest.StartCluster(t, "appendonly no").URL(), Cluster: true, KeyPrefix: "edge:"},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, config)
			wantRealms(t, db)
			// Names that need escaping, and realms of another prefix.
			want := []string{"%2f", "_default", "a}:meta", "shop", "{b}"}
			for _, name := range want {
				realm(t, db, name)
			}
			other := config
			other.KeyPrefix = "other:" + config.KeyPrefix
			realm(t, open(t, other), "foreign")
			wantRealms(t, db, want...)
		})
	}
}

func wantRealms(t *testing.T, db *DB, want ...string) {
	t.Helper()
	got, err := db.Realms(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Realms() = %q, error %v, want %q", got, err, want)
	}
}
