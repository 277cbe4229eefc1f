package postgres

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// Looking at a database makes no schema in it, and needs no right to.
func TestRealms(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for range 2 {
		if got, err := Realms(t.Context(), dsn); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an empty database: realms %q, error %v", got, err)
		}
	}
	db := openDSN(t, dsn)
	for _, name := range []string{"staff", "_default"} {
		realm(t, db, name)
	}
	got, err := Realms(t.Context(), dsn)
	if err != nil || !slices.Equal(got, []string{"_default", "staff"}) {
		t.Errorf("realms %q, error %v", got, err)
	}
	if _, err := Realms(t.Context(), dsn, WithSchema("other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another schema: error %v", err)
	}
}
