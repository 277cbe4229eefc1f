package caddymodule

import (
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// A database is asked and left as it is: a server of an older version may be using
// it.
func TestCheckPostgres(t *testing.T) {
	server := pgtest.Start(t)
	t.Setenv("EDGEAUTH_TEST_DATABASE", server.Database(t))
	s := setup{Port: freePort(t), Realm: "mailer log\nstorage postgres {env.EDGEAUTH_TEST_DATABASE}"}
	const (
		empty = "ok     storage postgres: responds; the first start creates the schema\n"
		full  = "ok     storage postgres: responds and has the schema\n"
	)
	for range 2 { // the first made nothing
		if out, err := checked(t, t.Context(), s.caddyfile()); err != nil || !strings.Contains(out, empty) {
			t.Errorf("%v:\n%s", err, out)
		}
	}
	load(t, s.caddyfile())
	if out, err := checked(t, t.Context(), s.caddyfile()); err != nil || !strings.Contains(out, full) {
		t.Errorf("next to the server: %v:\n%s", err, out)
	}
	t.Setenv("EDGEAUTH_TEST_DATABASE", "postgres://edge:pg-s3cret@127.0.0.1:1/none")
	out, err := checked(t, t.Context(), s.caddyfile())
	if err == nil || !strings.Contains(out, "WRONG  storage postgres: ") || strings.Contains(out, "pg-s3cret") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestCheckRedis(t *testing.T) {
	check := func(url string) (string, error) {
		t.Helper()
		t.Setenv("EDGEAUTH_TEST_REDIS", url)
		return checked(t, t.Context(), setup{Port: "8080", Realm: "mailer log\nstorage redis {env.EDGEAUTH_TEST_REDIS}"}.caddyfile())
	}
	safe, forgetful := redistest.Start(t), redistest.Start(t, "appendonly no")
	if out, err := check(safe.URL()); err != nil || !strings.Contains(out, "ok     storage redis: responds as expected") {
		t.Errorf("%v:\n%s", err, out)
	}
	if out, err := check(forgetful.URL()); err != nil || !strings.Contains(out, "ok     storage redis: responds, but may lose acknowledged changes: ") {
		t.Errorf("%v:\n%s", err, out)
	}
	if keys := forgetful.Do(t, "DBSIZE"); keys != int64(0) {
		t.Errorf("the check left %v keys", keys)
	}
	replica := redistest.Start(t, "replicaof 127.0.0.1 "+strconv.Itoa(safe.Port))
	if out, err := check(replica.URL()); err == nil || !strings.Contains(out, "the server is a replica and refuses changes") {
		t.Errorf("a replica: %v:\n%s", err, out)
	}
	out, err := check("redis://edge:redis-s3cret@127.0.0.1:1/0")
	if err == nil || !strings.Contains(out, "WRONG  storage redis: redis cannot be used") || strings.Contains(out, "redis-s3cret") {
		t.Errorf("%v:\n%s", err, out)
	}
}
