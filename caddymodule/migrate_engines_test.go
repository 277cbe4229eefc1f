package caddymodule

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// engines makes empty storages on servers that run until the test ends.
func engines(t *testing.T) map[string]func(t *testing.T) place {
	t.Helper()
	postgres, redis := pgtest.Start(t), redistest.Start(t)
	prefixes := 0
	return map[string]func(t *testing.T) place{
		"bolt": boltPlace,
		"postgres": func(t *testing.T) place {
			t.Helper()
			dsn := postgres.Database(t)
			return place{dsn, "storage postgres " + dsn}
		},
		"redis": func(*testing.T) place {
			prefixes++
			option := fmt.Sprintf("redis %s {\n key_prefix p%d:\n}", redis.URL(), prefixes)
			return place{option, "storage " + option}
		},
	}
}

func TestMigrateBetweenEngines(t *testing.T) {
	engines := engines(t)
	for _, pair := range [][2]string{
		{"bolt", "postgres"}, {"bolt", "redis"}, {"postgres", "redis"}, {"redis", "postgres"}, {"postgres", "bolt"}, {"redis", "bolt"},
	} {
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) { moves(t, engines[pair[0]](t), engines[pair[1]](t)) })
	}
}

// crowded fills a storage with so many users that a migration takes several steps.
func crowded(t *testing.T, p place, users int) {
	t.Helper()
	now := time.Now()
	var items []authcore.Item
	for i := range users {
		id := fmt.Sprintf("user-%04d", i)
		items = append(items,
			authcore.Item{User: &authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Created: now}},
			authcore.Item{Session: &authcore.Session{ID: "s" + id, UserID: id, Created: now, Expires: now.Add(time.Hour)}})
	}
	for len(items) > 0 {
		part := items[:min(500, len(items))]
		if _, err := openPlace(t, p, "").Import(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		items = items[len(part):]
	}
}

// Environment variables that tell a test process the storages.
const (
	migrateFrom = "EDGEAUTH_TEST_MIGRATE_FROM"
	migrateTo   = "EDGEAUTH_TEST_MIGRATE_TO"
)

// migrateUntilKilled runs a migration that tells each of its steps.
func migrateUntilKilled() int {
	now := time.Now()
	m := &migration{from: os.Getenv(migrateFrom), to: os.Getenv(migrateTo), out: os.Stdout, clock: func() time.Time {
		now = now.Add(progressInterval)
		return now
	}}
	if err := m.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A migration that is killed repeatedly continues where it was.
func TestMigrateKilled(t *testing.T) {
	engines := engines(t)
	from := boltPlace(t)
	t.Run("fill", func(t *testing.T) { crowded(t, from, 1500) })
	for _, name := range []string{"bolt", "postgres", "redis"} {
		t.Run("to "+name, func(t *testing.T) {
			to, killed := engines[name](t), 0
			for steps := 1; killedAfter(t, from, to, steps); steps++ {
				killed++
			}
			if killed < 2 {
				t.Errorf("it was killed %d times", killed)
			}
			said, err := migrated(t, from.flag, to.flag)
			if err != nil {
				t.Fatal(err)
			}
			wantSaid(t, said, "stored 0, 3000 were present already", "source and target are equal")
		})
	}
}

// killedAfter starts a migration and kills it when it has told so many steps;
// false when it came to its end before.
func killedAfter(t *testing.T, from, to place, steps int) bool {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), migrateFrom+"="+from.flag, migrateTo+"="+to.flag)
	var faults bytes.Buffer
	victim.Stderr = &faults
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for told := 0; lines.Scan(); {
		if strings.Contains(lines.Text(), " so far") {
			told++
		}
		if told == steps {
			_ = victim.Process.Kill() // SIGKILL; it may have ended by itself
		}
	}
	err = victim.Wait()
	if err != nil && victim.ProcessState.Exited() {
		t.Fatalf("it ended by itself: %v %s", err, faults.String())
	}
	return err != nil
}
