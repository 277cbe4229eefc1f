package postgres

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// Nodes that start at the same moment on an empty database make one schema.
func TestNodesMigrateTogether(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	var nodes sync.WaitGroup
	for range 10 {
		nodes.Go(func() {
			db, err := Open(t.Context(), dsn, WithMaxConnections(1))
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			defer db.Close()
			if _, err := db.Realm(t.Context(), "main"); err != nil {
				t.Errorf("Realm: %v", err)
			}
		})
	}
	nodes.Wait()
}

// Schemas are separate, whatever their names contain (CWE-89).
func TestSchemasAreSeparate(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for i, name := range []string{"auth", "Auth", `a"b`, "a.b", `"; DROP SCHEMA auth CASCADE; --`, "pgé", strings.Repeat("x", 63)} {
		store := realm(t, openDSN(t, dsn, WithSchema(name)), "main")
		signUp(t, store, account(fmt.Sprint(i), "ada@example.com"))
	}
	if _, err := realm(t, openDSN(t, dsn, WithSchema("auth")), "main").User(t.Context(), authcore.UserRef{ID: "0"}); err != nil {
		t.Errorf("User of the first schema: error %v", err)
	}
	for _, name := range []string{"", strings.Repeat("x", 64), "a\x00b", "\xff"} {
		if _, err := Open(t.Context(), dsn, WithSchema(name)); name != "" && err == nil {
			t.Errorf("Open with schema %q = nil, want an error", name)
		}
	}
}

// Open refuses what a newer program, or another one, has written.
func TestOpenRefuses(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]struct {
		prepare string
		want    string
	}{
		"a newer schema":   {`INSERT INTO edgeauth.migrations (version, name) VALUES (9999, 'later')`, "run the newer program"},
		"a newer format":   {`INSERT INTO edgeauth.realms (name, format) VALUES ('main', 9999)`, "run the newer program"},
		"no version":       {`DELETE FROM edgeauth.migrations`, "restore it from a backup"},
		"a foreign schema": {`DROP SCHEMA edgeauth CASCADE; CREATE SCHEMA edgeauth; CREATE TABLE edgeauth.users (id int)`, "belongs to another program"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.Database(t)
			_ = openDSN(t, dsn).Close()
			pgtest.Exec(t, dsn, test.prepare)
			_, err := Open(t.Context(), dsn)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open = error %v, want %q", err, test.want)
			}
		})
	}
	t.Run("another encoding", func(t *testing.T) {
		server.Exec(t, "postgres", `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`)
		if _, err := Open(t.Context(), server.DSN("latin")); err == nil || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
			t.Errorf("Open = error %v, want a hint at the encoding", err)
		}
	})
}

// The error about a database that cannot be opened names what was tried, without the
// password (CWE-532).
func TestOpenErrorsHoldNoPassword(t *testing.T) {
	const secret = "pa:ss%zz/w@rd"
	quoted := url.QueryEscape(secret)
	for dsn, want := range map[string]string{
		"postgres://edge:" + quoted + "@127.0.0.1:1/auth?sslmode=disable":                       `database "auth" at 127.0.0.1 port 1 as user "edge"`,
		"host=127.0.0.1 port=1 user=edge dbname=auth sslmode=disable password='" + secret + "'": `database "auth" at 127.0.0.1 port 1 as user "edge"`,
		"postgres://edge:" + secret + "@127.0.0.1:1/auth":                                       "write postgres://",
		"postgres://edge:" + quoted + "@127.0.0.1:port/auth":                                    "write postgres://",
		"host=127.0.0.1 password=" + secret + " sslmode=nonsense":                               "write postgres://",
		secret: "write postgres://",
	} {
		_, err := Open(t.Context(), dsn)
		if err == nil {
			t.Errorf("Open(%q) = nil, want an error", dsn)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), quoted) ||
			strings.Contains(fmt.Sprintf("%+v %#v", err, err), "ss%zz") {
			t.Errorf("Open(%q) = error %v, want %q without the password", dsn, err, want)
		}
	}
}

// The role that serves needs no right to create anything once the schema exists, and
// no right outside of it.
func TestLeastPrivileges(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	_ = openDSN(t, dsn).Close()
	pgtest.Exec(t, dsn,
		`CREATE ROLE edge LOGIN`,
		`REVOKE ALL ON SCHEMA public FROM PUBLIC`,
		`GRANT USAGE ON SCHEMA edgeauth TO edge`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA edgeauth TO edge`,
		`REVOKE INSERT, UPDATE, DELETE ON edgeauth.migrations FROM edge`)
	store := realm(t, openDSN(t, strings.Replace(dsn, "//postgres:", "//edge:", 1)), "main")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watching := make(chan error, 1)
	notified := make(chan struct{}, 10)
	go func() { watching <- store.WatchRevocations(ctx, func() { notified <- struct{}{} }) }()
	<-notified
	storagetest.Furnish(t, store)
	disable(t, store, storagetest.StepID("seen"))
	<-notified
	cancel()
	<-watching
	for name, step := range storagetest.Steps(store) {
		if err := step(t.Context()); err != nil {
			t.Errorf("%s without rights to create: error %v", name, err)
		}
	}
}

// A migration that fails leaves nothing behind, and later ones do not begin.
func TestMigrationsAreAllOrNothing(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	steps, err := embedded()
	if err != nil {
		t.Fatalf("preparing: %v", err)
	}
	if err := migrate(t.Context(), conn, defaultSchema, steps); err != nil {
		t.Fatalf("preparing: %v", err)
	}
	more := append(slices.Clone(steps),
		migration{len(steps) + 1, "good", `CREATE TABLE good ()`}, migration{len(steps) + 2, "bad", `CREATE TABLE good ()`})
	if err := migrate(t.Context(), conn, defaultSchema, more); err == nil || !strings.Contains(err.Error(), "migration bad") {
		t.Errorf("migrate = error %v, want one about the bad migration", err)
	}
	if version, err := schemaVersion(t.Context(), conn, defaultSchema, len(more)); err != nil || version != len(steps) {
		t.Errorf("schemaVersion = %d, error %v, want %d", version, err, len(steps))
	}
	if err := migrate(t.Context(), conn, defaultSchema, more[:len(steps)+1]); err != nil {
		t.Errorf("migrate with the good migration alone: error %v", err)
	}
	if _, err := Open(t.Context(), dsn); err == nil {
		t.Error("Open by an older program = nil, want an error")
	}
}

func TestMigrationsAreNumbered(t *testing.T) {
	file := func() *fstest.MapFile { return &fstest.MapFile{Data: []byte("SELECT 1")} }
	for _, files := range []fstest.MapFS{
		{"migrations/0002_b.sql": file()},
		{"migrations/0001_a.sql": file(), "migrations/0003_b.sql": file()},
		{"migrations/a.sql": file()},
	} {
		if _, err := readMigrations(files); err == nil {
			t.Errorf("readMigrations(%v) = nil, want an error", files)
		}
	}
}

// A statement deadline of the role does not end a migration, which may take long.
func TestMigrationHasNoDeadline(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	conn, err := pgx.Connect(t.Context(), dsn+"&statement_timeout=100")
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	slow := []migration{{1, "slow", `SELECT pg_sleep(0.5)`}}
	if err := migrate(t.Context(), conn, defaultSchema, slow); err != nil {
		t.Errorf("migrate with a slow migration: error %v", err)
	}
}
