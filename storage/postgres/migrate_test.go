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

// Schemas are apart, whatever stands in their names (CWE-89).
func TestSchemasAreApart(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	for i, name := range []string{"auth", "Auth", `a"b`, "a.b", `"; DROP SCHEMA auth CASCADE; --`, "pgé", strings.Repeat("x", 63)} {
		store := realm(t, openDSN(t, dsn, WithSchema(name)), "main")
		mustEnsure(t, store, user(fmt.Sprint(i), "ada@example.com"))
	}
	if _, err := realm(t, openDSN(t, dsn, WithSchema("auth")), "main").User(t.Context(), "0"); err != nil {
		t.Errorf("the first one: %v", err)
	}
	for _, name := range []string{"", strings.Repeat("x", 64), "a\x00b", "\xff"} {
		if _, err := Open(t.Context(), dsn, WithSchema(name)); name != "" && err == nil {
			t.Errorf("schema %q was taken", name)
		}
	}
}

// A program must not touch what a newer one, or another one, has made.
func TestOpenRefuses(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]struct {
		prepare string
		want    string
	}{
		"a newer schema":   {`INSERT INTO edgeauth.migrations (version, name) VALUES (9999, 'later')`, "run the newer program"},
		"no version":       {`DELETE FROM edgeauth.migrations`, "restore it from a backup"},
		"a foreign schema": {`DROP SCHEMA edgeauth CASCADE; CREATE SCHEMA edgeauth; CREATE TABLE edgeauth.users (id int)`, "belongs to another program"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.Database(t)
			_ = openDSN(t, dsn).Close()
			pgtest.Exec(t, dsn, test.prepare)
			_, err := Open(t.Context(), dsn)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want it to say %q", err, test.want)
			}
		})
	}
	t.Run("another encoding", func(t *testing.T) {
		server.Exec(t, "postgres", `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`)
		if _, err := Open(t.Context(), server.DSN("latin")); err == nil || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
			t.Errorf("error %v", err)
		}
	})
}

// What an error says about a database that cannot be opened names all that was
// tried but the password (CWE-532).
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
			t.Errorf("%q was opened", dsn)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), quoted) ||
			strings.Contains(fmt.Sprintf("%+v %#v", err, err), "ss%zz") {
			t.Errorf("%q: error %v, want it to say %q", dsn, err, want)
		}
	}
}

// The role that serves needs no right to create anything once the schema is there,
// and none outside of it.
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
	mustEnsure(t, store, user("u", ""))
	if _, err := store.SetDisabled(t.Context(), "u", true, origin, origin); err != nil {
		t.Fatal(err)
	}
	<-notified
	cancel()
	<-watching
	if _, err := store.UpdateKeys(t.Context(), func([]authcore.SigningKey) ([]authcore.SigningKey, error) {
		return []authcore.SigningKey{{ID: "k"}}, nil
	}); err != nil {
		t.Error(err)
	}
	if err := store.Sweep(t.Context(), origin); err != nil {
		t.Error(err)
	}
}

// A database that any version of the schema made is brought up to date with what is
// in it.
func TestMigrationFromEachVersion(t *testing.T) {
	server := pgtest.Start(t)
	steps, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	for version := range steps {
		t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
			dsn := server.Database(t)
			conn, err := pgx.Connect(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			tables := newTables(defaultSchema)
			if err := migrate(t.Context(), conn, tables, steps[:version]); err != nil {
				t.Fatal(err)
			}
			if version > 0 { // what every version has had
				pgtest.Exec(t, dsn, tables.in(`INSERT INTO @.users VALUES
					('main', 'u', 'ada@example.com', true, 'ada@example.com', 'Ada', '', '', '', false, now())`))
			}
			store := realm(t, openDSN(t, dsn), "main")
			if version > 0 {
				if got, err := store.UserByEmail(t.Context(), "ada@example.com"); err != nil || got.ID != "u" || got.FirstName != "Ada" {
					t.Errorf("the user of before: %+v, error %v", got, err)
				}
			}
			mustEnsure(t, store, user("new", "grace@example.com"))
		})
	}
}

// A migration that fails leaves nothing of itself, and later ones are not begun.
func TestMigrationsAreAllOrNothing(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	steps, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	tables := newTables(defaultSchema)
	if err := migrate(t.Context(), conn, tables, steps); err != nil {
		t.Fatal(err)
	}
	more := append(slices.Clone(steps),
		migration{len(steps) + 1, "good", `CREATE TABLE good ()`}, migration{len(steps) + 2, "bad", `CREATE TABLE good ()`})
	if err := migrate(t.Context(), conn, tables, more); err == nil || !strings.Contains(err.Error(), "migration bad") {
		t.Errorf("error %v", err)
	}
	if version, err := schemaVersion(t.Context(), conn, tables, len(more)); err != nil || version != len(steps) {
		t.Errorf("version %d, error %v", version, err)
	}
	if err := migrate(t.Context(), conn, tables, more[:len(steps)+1]); err != nil {
		t.Errorf("the good one alone: %v", err)
	}
	if _, err := Open(t.Context(), dsn); err == nil {
		t.Error("an older program opened it")
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
			t.Errorf("%v was taken", files)
		}
	}
}
