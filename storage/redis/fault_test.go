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

// A connection breaks after a step was performed. The error must be that the
// outcome is unknown: a client that repeats the step would report "not found" for a
// record that it took itself, and count a guess twice.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	t.Run("server", func(t *testing.T) {
		through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
		cutConnections(t, open(t, Config{URL: "redis://" + through.Address()}), through)
	})
	t.Run("replicas", func(t *testing.T) { // one of none
		through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
		db := open(t, Config{URL: "redis://" + through.Address()})
		store := realm(t, db, "main")
		put(t, store, record("a")) // the server has the script
		db.replicas = 1
		through.CutAfter("evalsha")
		err := store.PutRecord(t.Context(), record("b"), authcore.PutOptions{Now: start})
		if hits := through.Disarm(); hits != 1 || !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("PutRecord = error %v, sent %d times, want %v and once", err, hits, authcore.ErrUnavailable)
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

// cutConnections breaks the connection in each round trip of each step.
func cutConnections(t *testing.T, db *DB, through ...*servertest.Proxy) {
	t.Helper()
	warm := realm(t, db, "warm") // the server has the scripts afterwards
	storagetest.Furnish(t, warm)
	for step, run := range storagetest.Steps(warm) {
		if err := run(t.Context()); err != nil {
			t.Fatalf("%s failed: %v", step, err)
		}
	}
	// The first round trip of a step reads or is all of it, commit is the last one.
	for _, text := range []string{"{first}", db.scripts["commit"].sha} {
		store := realm(t, db, "first")
		if text != "{first}" {
			store = realm(t, db, "commit")
		}
		storagetest.Furnish(t, store)
		for step, run := range storagetest.Steps(store) {
			for _, p := range through {
				p.CutAfter(text)
			}
			err := run(t.Context())
			hits := 0
			for _, p := range through {
				hits += p.Disarm()
			}
			if hits > 1 || hits == 0 && text == "{first}" {
				t.Errorf("%s sent %q %d times, want once", step, text, hits)
			}
			if hits > 0 && (!errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound)) {
				t.Errorf("%s = error %v, want %v", step, err, authcore.ErrUnavailable)
			}
		}
	}
	// Commits were performed once, though their answers were lost.
	store := realm(t, db, "commit")
	taken := storagetest.StepRecord("take").RecordKey
	if _, err := store.TakeRecord(t.Context(), taken, start); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("TakeRecord of the taken record = error %v, want %v", err, authcore.ErrNotFound)
	}
	if _, err := store.User(t.Context(), authcore.UserRef{ID: storagetest.StepID("new")}); err != nil {
		t.Errorf("User of the new user = error %v", err)
	}
	updated, err := store.Record(t.Context(), storagetest.StepRecord("update").RecordKey, start)
	if err != nil || string(updated.Data) != "updatex" {
		t.Errorf("Record after one update = %q, error %v, want updatex", updated.Data, err)
	}
}

// A login that fails at any round trip happened completely or left nothing behind.
func TestLoginFaults(t *testing.T) {
	t.Parallel()
	through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
	db := open(t, Config{URL: "redis://" + through.Address()})
	store := realm(t, db, "main")
	storagetest.Furnish(t, store) // the server has the scripts
	scripts := []string{db.scripts["read"].sha, db.scripts["commit"].sha}
	storagetest.RunLoginFaults(t, store, func(n int) func() {
		if n < len(scripts) {
			through.CutAfter(scripts[n])
		}
		return func() { through.Disarm() }
	})
}

// The server is reachable, but earlier connections lead nowhere and do not report
// it. Many of them must not matter, because a node learns of no logout meanwhile.
func TestConnectionsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	through := servertest.NewProxy(t, redistest.Start(t, "appendonly no").Address())
	// The proportions of the product, with time for a busy machine.
	db := openBounded(t, Config{URL: "redis://" + through.Address() + "?read_timeout=6s&conn_max_idle_time=6s&dial_timeout=60s&pool_timeout=60s"})
	db.timeout = time.Minute
	store := realm(t, db, "main")
	var calls sync.WaitGroup
	servertest.Eventually(t, "there are idle connections", func() bool {
		for range 100 {
			calls.Go(func() { _, _ = store.User(t.Context(), authcore.UserRef{ID: "u"}) })
		}
		calls.Wait()
		return db.client.PoolStats().IdleConns >= maxPipelines
	})
	through.Deafen()
	tries := 0
	servertest.Eventually(t, "the store is usable again", func() bool {
		tries++
		_, _, err := store.RevocationsSince(t.Context(), "")
		return err == nil
	})
	if tries > 3 {
		t.Errorf("RevocationsSince succeeded at try %d, want 3 at most", tries)
	}
}

// Unexpected responses and errors of a server become ErrUnavailable.
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
		":9", "+OK", "*0", "*1\r\n:1", "rubbish",
	} {
		db := openBounded(t, Config{URL: answering(t, line)})
		store := &Store{db: db, prefix: "p"}
		for name, step := range storagetest.Steps(store) {
			err := step(t.Context())
			if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("%s after %.12s = error %v, want %v", name, line, err, authcore.ErrUnavailable)
			}
		}
	}
}

// Calls of a frozen server end in bounded time, and immediately if the caller
// cancels them. Afterwards the store is usable.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "appendonly no")
	store := realm(t, openBounded(t, Config{URL: server.URL()}), "main")
	storagetest.Furnish(t, store)
	server.Pause(t)
	storagetest.Frozen(t, store, 4*callTimeout)
	server.Resume(t)
	servertest.Eventually(t, "the store is usable", func() bool {
		_, err := store.User(t.Context(), authcore.UserRef{ID: storagetest.StepID("user")})
		return err == nil
	})
}

// A server that was killed and started again is used again, and has what was
// acknowledged.
func TestRestartedServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	signUp(t, store, authcore.Account{User: user("u", ""), Sessions: []authcore.Session{session("ended")}})
	_, cursor := follow(t, store, "")
	if err := end(t.Context(), store, "u", ""); err != nil {
		t.Fatalf("ending a session failed: %v", err)
	}
	server.Kill(t)
	if err := begin(t.Context(), store, "u", "down"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("UpdateAccount of a killed server = error %v, want %v", err, authcore.ErrUnavailable)
	}
	server.Start(t)
	if revoked, _ := follow(t, store, cursor); len(revoked) != 1 || !revoked["ended"] {
		t.Errorf("feed after the restart = %v, want the ended session", revoked)
	}
	if err := begin(t.Context(), store, "u", "up"); err != nil {
		t.Errorf("UpdateAccount after the restart = error %v", err)
	}
}

// A Redis without memory refuses a step completely.
func TestFullServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "appendonly no", "maxmemory 100mb", "maxmemory-policy noeviction")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	storagetest.Furnish(t, store)
	server.Do(t, "config", "set", "maxmemory", "1")
	steps := storagetest.Steps(store)
	for _, name := range []string{"Login", "UpdateAccount", "PutRecord"} {
		if err := steps[name](t.Context()); !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "OOM") {
			t.Errorf("%s without memory = error %v, want OOM", name, err)
		}
	}
	if _, err := store.User(t.Context(), authcore.UserRef{ID: storagetest.StepID("user")}); err != nil {
		t.Errorf("User without memory = error %v", err)
	}
	server.Do(t, "config", "set", "maxmemory", "0")
	if _, err := store.User(t.Context(), authcore.UserRef{ID: storagetest.StepID("new")}); !errors.Is(err, authcore.ErrNotFound) {
		t.Errorf("User after the refused login = error %v, want %v", err, authcore.ErrNotFound)
	}
	if err := steps["Login"](t.Context()); err != nil {
		t.Errorf("Login after it was refused = error %v", err)
	}
}

func portOf(p *servertest.Proxy) string {
	_, port, _ := net.SplitHostPort(p.Address())
	return port
}
