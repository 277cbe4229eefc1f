package redis

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func user(id, email string) authcore.User {
	return authcore.User{ID: id, Email: email, EmailVerified: email != "", Created: origin}
}

func session(id, userID string) authcore.Session {
	return authcore.Session{
		ID: id, UserID: userID, TokenID: "t-" + id, Created: origin, Expires: origin.Add(time.Hour),
	}
}

func link(name string) authcore.Link {
	return authcore.Link{
		Secret: authcore.DigestOf("link", name), Code: authcore.DigestOf("code", name), EmailKey: name,
		Created: origin, Expires: origin.Add(time.Hour),
	}
}

func mustEnsure(tb testing.TB, store *Store, user authcore.User) {
	tb.Helper()
	if _, created, err := store.EnsureUser(tb.Context(), user); err != nil || !created {
		tb.Fatalf("EnsureUser: created %v, error %v", created, err)
	}
}

func everySession(authcore.Session) bool { return true }

func second[T any](_ T, err error) error { return err }

// A connection breaks after a step was carried out. The answer must be that
// nothing is known; a client that sends the step again would say "not found" of a
// link that it has taken itself, and count a guess twice.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	t.Run("server", func(t *testing.T) {
		through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
		cutConnections(t, open(t, Config{URL: "redis://" + through.Address()}), through)
	})
	t.Run("replicas", func(t *testing.T) { // one of none
		through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
		db := open(t, Config{URL: "redis://" + through.Address()})
		db.replicas = 1
		store := &Store{db: db, prefix: "p"}
		through.CutAfter("evalsha")
		if err := store.PutLink(t.Context(), link("a")); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("PutLink: error %v", err)
		}
		if hits := through.Disarm(); hits != 1 {
			t.Errorf("was sent %d times", hits)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		cluster := redistest.StartCluster(t, "appendonly no")
		proxies := make([]*servertest.Proxy, len(cluster.Servers))
		for i, server := range cluster.Servers {
			proxies[i] = servertest.NewProxy(t, server.Address())
			server.Do(t, "config", "set", "cluster-announce-port", portOf(proxies[i]))
		}
		servertest.Eventually(t, "the nodes name the proxies", func() bool {
			for _, server := range cluster.Servers {
				for _, p := range proxies {
					if !strings.Contains(fmt.Sprint(server.Do(t, "cluster", "slots")), portOf(p)) {
						return false
					}
				}
			}
			return true
		})
		cutConnections(t, open(t, Config{URL: "redis://" + proxies[0].Address(), Cluster: true}), proxies...)
	})
}

func cutConnections(t *testing.T, db *DB, through ...*servertest.Proxy) {
	t.Helper()
	for _, name := range []string{"first", "main"} { // the first one has the server know the scripts
		store := realm(t, db, name)
		storagetest.Furnish(t, store)
		for step, run := range storagetest.Steps(store) {
			if name == "first" {
				if err := run(t.Context()); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
				continue
			}
			for _, p := range through {
				p.CutAfter(store.prefix)
			}
			err := run(t.Context())
			hits := 0
			for _, p := range through {
				hits += p.Disarm()
			}
			if hits != 1 {
				t.Errorf("%s: was sent %d times", step, hits)
			}
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("%s: error %v", step, err)
			}
		}
	}
	store := realm(t, db, "main")
	// What is one step has happened.
	if _, err := store.TakeLink(t.Context(), link("take").Secret, origin); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("the link that was taken: error %v", err)
	}
	if _, err := store.User(t.Context(), "new"); err != nil {
		t.Errorf("the user who was made: error %v", err)
	}
}

// The server is there again, at the same address, and the connections that were
// made before lead nowhere: nothing comes back on them, and nothing says so. That
// they are many must not matter, because a node hears of no logout meanwhile.
func TestConnectionsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
	db := open(t, Config{URL: "redis://" + through.Address()})
	store := realm(t, db, "main")
	const connections = 8
	var calls sync.WaitGroup
	servertest.Eventually(t, "there are many connections", func() bool {
		for range connections {
			calls.Go(func() { _, _ = store.User(t.Context(), "u") })
		}
		calls.Wait()
		return db.client.PoolStats().IdleConns >= connections
	})
	through.Deafen()
	tries := 0
	servertest.Eventually(t, "the store is used again", func() bool {
		tries++
		_, _, err := store.RevocationsSince(t.Context(), "")
		return err == nil
	})
	if tries > 3 {
		t.Errorf("it took %d tries", tries)
	}
}

// Everything that a server may say instead of an answer is no answer.
func TestEngineFailures(t *testing.T) {
	for _, line := range []string{
		"-READONLY You can't write against a read only replica.",
		"-LOADING Redis is loading the dataset in memory",
		"-CLUSTERDOWN The cluster is down",
		"-MOVED 1 127.0.0.1:1",
		"-ASK 1 127.0.0.1:1",
		"-TRYAGAIN Multiple keys request during rehashing of slot",
		"-OOM command not allowed when used memory > 'maxmemory'.",
		"-NOAUTH Authentication required.",
		"-NOPERM this user has no permissions",
		"-NOREPLICAS Not enough good replicas to write.",
		"-MASTERDOWN Link with MASTER is down",
		"-MISCONF Redis is configured to save RDB snapshots",
		"-BUSY Redis is busy running a script.",
		"-WRONGTYPE Operation against a key holding the wrong kind of value",
		"-NOSCRIPT No matching script.",
		"-ERR anything",
		":1", "+OK", "*0", "*1\r\n:1", "rubbish",
	} {
		db := open(t, Config{URL: answering(t, line)})
		store := &Store{db: db, prefix: "p"}
		for name, step := range storagetest.Steps(store) {
			err := step(t.Context())
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("%.12s: %s: error %v", line, name, err)
			}
		}
	}
}

// A frozen server ends every call in bounded time, and a caller who goes away ends
// it at once; when the server goes on, so does the store.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	server.Pause(t)
	storagetest.Frozen(t, store, 4*callTimeout)
	server.Resume(t)
	servertest.Eventually(t, "the store goes on", func() bool { return second(store.User(t.Context(), "u")) == nil })
}

// A server that was killed and started again is used again, without anything being
// done about it, and knows what was acknowledged.
func TestRestartedServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	db := open(t, Config{URL: server.URL()})
	store := realm(t, db, "main")
	storagetest.Furnish(t, store)
	_, cursor, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.EndSessions(t.Context(), "ending", everySession, origin); err != nil {
		t.Fatal(err)
	}
	server.Kill(t)
	if err := store.PutSession(t.Context(), session("down", "u")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("while it is down: %v", err)
	}
	server.Start(t)
	entries, _, err := store.RevocationsSince(t.Context(), cursor)
	if err != nil || len(entries) != 1 || entries[0].ID != "end" {
		t.Errorf("revocations: %v, error %v", entries, err)
	}
	if err := store.PutSession(t.Context(), session("up", "u")); err != nil {
		t.Errorf("a session afterwards: %v", err)
	}
}

// What a Redis without room says is no answer, and nothing of a step is there.
func TestFullServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "appendonly no", "maxmemory 100mb", "maxmemory-policy noeviction")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	storagetest.Furnish(t, store)
	server.Do(t, "config", "set", "maxmemory", "1")
	for name, step := range storagetest.Steps(store) {
		if name == "EnsureUser" || name == "PutSession" || name == "PutLink" {
			if err := step(t.Context()); !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "OOM") {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
	if _, err := store.User(t.Context(), "u"); err != nil {
		t.Errorf("reading: %v", err)
	}
	server.Do(t, "config", "set", "maxmemory", "0")
	if _, err := store.User(t.Context(), "new"); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("half of a step is there: error %v", err)
	}
}

func portOf(p *servertest.Proxy) string {
	_, port, _ := net.SplitHostPort(p.Address())
	return port
}
