package postgres

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// Realms recognizes a schema of an older version, and does not change it.
func TestRealmsOfAnOldSchema(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	realm(t, openDSN(t, dsn), "main")
	steps, err := embedded()
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	later := append(slices.Clone(steps), migration{len(steps) + 1, "later", `CREATE TABLE later ()`})
	if names, err := realmNames(t.Context(), conn, defaultSchema, later); !errors.Is(err, ErrOldSchema) || names != nil {
		t.Errorf("realmNames = %q, error %v", names, err)
	}
	if version, err := schemaVersion(t.Context(), conn, defaultSchema, len(later)); err != nil || version != len(steps) {
		t.Errorf("schemaVersion = %d, error %v, want %d", version, err, len(steps))
	}
	if names, err := realmNames(t.Context(), conn, defaultSchema, steps); err != nil || !slices.Equal(names, []string{"main"}) {
		t.Errorf("realmNames = %q, error %v", names, err)
	}
}

// Realms creates no schema, and needs no right to.
func TestRealms(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for range 2 {
		if got, err := Realms(t.Context(), dsn); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Realms of an empty database = %q, error %v, want %v", got, err, fs.ErrNotExist)
		}
	}
	db := openDSN(t, dsn)
	for _, name := range []string{"staff", "_default"} {
		realm(t, db, name)
	}
	got, err := Realms(t.Context(), dsn)
	if err != nil || !slices.Equal(got, []string{"_default", "staff"}) {
		t.Errorf("Realms = %q, error %v", got, err)
	}
	if _, err := Realms(t.Context(), dsn, WithSchema("other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Realms of another schema: error %v, want %v", err, fs.ErrNotExist)
	}
}
