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

// A schema that an older version made is told from others, and stays as it is.
func TestRealmsOfAnOldSchema(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	realm(t, openDSN(t, dsn), "main")
	steps, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	tables, later := newTables(defaultSchema), append(slices.Clone(steps), migration{len(steps) + 1, "later", `CREATE TABLE later ()`})
	if names, err := realmNames(t.Context(), conn, tables, later); !errors.Is(err, ErrOldSchema) || names != nil {
		t.Errorf("realms %q, error %v", names, err)
	}
	if version, err := schemaVersion(t.Context(), conn, tables, len(later)); err != nil || version != len(steps) {
		t.Errorf("the version became %d, %v", version, err)
	}
	if names, err := realmNames(t.Context(), conn, tables, steps); err != nil || !slices.Equal(names, []string{"main"}) {
		t.Errorf("realms %q, error %v", names, err)
	}
}

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
