package caddymodule

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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

// crowded fills a place with so many users that a migration has to make several
// steps.
func crowded(t *testing.T, p place, users int) {
	t.Helper()
	now := time.Now()
	var records []authcore.Record
	for i := range users {
		id := fmt.Sprintf("user-%04d", i)
		records = append(records,
			authcore.Record{User: &authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Created: now}},
			authcore.Record{Session: &authcore.Session{ID: "s" + id, UserID: id, TokenID: "t" + id, Created: now, Expires: now.Add(time.Hour)}})
	}
	for len(records) > 0 {
		part := records[:min(500, len(records))]
		if _, err := openPlace(t, p, "").Import(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		records = records[len(part):]
	}
}

// The names under which a test process finds out what it is to move.
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

// A migration that is killed again and again goes on where it stood.
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
			wantSaid(t, said, "stored 0, 3000 were there already", "compared, and the same")
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
		if strings.Contains(lines.Text(), "so far") {
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

// onWord calls a function once, when a word is printed.
type onWord struct {
	word string
	call func()
}

func (w *onWord) Write(text []byte) (int, error) {
	if w.call != nil && strings.Contains(string(text), w.word) {
		w.call()
		w.call = nil
	}
	return len(text), nil
}

// A source that people use while it is moved: what came in is told and moved by
// the next run, and what was taken away is never forgotten in silence.
func TestMigrateFromALiveSource(t *testing.T) {
	engines := engines(t)
	for _, pair := range [][2]string{{"postgres", "redis"}, {"redis", "bolt"}} {
		from, to := engines[pair[0]](t), engines[pair[1]](t)
		t.Run(pair[0], func(t *testing.T) {
			crowded(t, from, 10)
			live, now := openPlace(t, from, ""), time.Now()
			during := func(what func() error) error {
				fault := io.EOF
				m := &migration{from: from.flag, to: to.flag, clock: time.Now, out: &onWord{"stored", func() { fault = what() }}}
				err := m.run(t.Context())
				if fault != nil {
					t.Fatalf("what was to happen meanwhile: %v", fault)
				}
				return err
			}
			err := during(func() error {
				_, _, err := live.EnsureUser(t.Context(), authcore.User{ID: "new", Created: now})
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "1 users missing: the source is in use; stop every server that uses it, and run this again") {
				t.Errorf("a user came in: %v", err)
			}
			if _, err := migrated(t, from.flag, to.flag); err != nil {
				t.Errorf("the next run: %v", err)
			}
			err = during(func() error {
				_, err := live.SetDisabled(t.Context(), "user-0003", true, now.Add(time.Hour), now)
				return err
			})
			for range 2 {
				if err == nil || !strings.Contains(err.Error(), "1 users different") || !strings.Contains(err.Error(), "user-0003") ||
					!strings.Contains(err.Error(), "empty the target, and run this again") {
					t.Errorf("a user was disabled: %v", err)
				}
				_, err = migrated(t, from.flag, to.flag)
			}
			if _, err = migrated(t, from.flag, engines["bolt"](t).flag); err != nil {
				t.Errorf("into an empty target: %v", err)
			}
		})
	}
}
