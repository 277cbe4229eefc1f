package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

func TestWarnings(t *testing.T) {
	for settings, want := range map[string][]string{
		"fsync=on full_page_writes=on":                         nil,
		"fsync=on full_page_writes=on synchronous_commit=off":  {"synchronous_commit is off"},
		"fsync=off full_page_writes=off synchronous_commit=on": {"fsync is off", "full_page_writes is off"},
	} {
		db := openDSN(t, pgtest.Start(t, strings.Fields(settings)...).Database(t))
		got, err := db.Warnings(t.Context())
		if err != nil || len(got) != len(want) {
			t.Fatalf("Warnings with %s = %q, error %v, want %q", settings, got, err, want)
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("Warnings with %s = %q, want %q", settings, got, want)
			}
		}
		_ = db.Close()
		if _, err := db.Warnings(t.Context()); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("Warnings after Close: error %v", err)
		}
	}
}
