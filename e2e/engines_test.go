package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/tcpproxy"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// engine is a database that several nodes share.
type engine struct {
	name string
	// address of the server, for a proxy; "" for a group of servers that announce
	// each other's addresses.
	address string
	// url returns the URL of the engine at an address.
	url func(address string) string
	// storage contains the lines of the realm. The URL is in the variable STORE.
	storage []string
	// notifies is a part of the command with which a node subscribes.
	notifies string

	pause, resume, kill, start, stop func(testing.TB)
	// fill leaves no space for writes, and empty frees it; nil if the machine does
	// not support it.
	fill, empty func(testing.TB)
}

func startPostgres(t testing.TB) engine {
	t.Helper()
	server := pgtest.Start(t)
	fill, empty, dsn := smallDatabase(t, server)
	named, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return engine{
		name: "PostgreSQL", address: server.Address(), notifies: "listen ",
		storage: []string{"storage postgres {env.STORE}"},
		url: func(address string) string {
			at := *named
			at.Host = address
			return at.String()
		},
		pause: server.Pause, resume: server.Resume, kill: server.Kill, start: server.Start, stop: server.Stop,
		fill: fill, empty: empty,
	}
}

func startRedis(t testing.TB) engine {
	t.Helper()
	server := redistest.Start(t)
	limit := func(bytes string) func(testing.TB) {
		return func(t testing.TB) {
			t.Helper()
			server.Do(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
			server.Do(t, "CONFIG", "SET", "maxmemory", bytes)
		}
	}
	return engine{
		name: "Redis", address: server.Address(), notifies: "subscribe",
		storage: []string{"storage redis {env.STORE}"},
		url:     func(address string) string { return "redis://" + address + "/0" },
		pause:   server.Pause, resume: server.Resume, kill: server.Kill, start: server.Start, stop: server.Stop,
		fill: limit("1"), empty: limit("0"),
	}
}

// startSentinels starts a primary with a replica that confirms every write.
func startSentinels(t testing.TB) engine {
	t.Helper()
	group := redistest.StartGroup(t, 1)
	stopped := group.Primary(t) // a failover changes it
	return engine{
		name:    "Redis Sentinel",
		storage: []string{"storage redis {env.STORE} {", "\tsentinel " + redistest.PrimaryName, "\twait_replicas 1", "}"},
		url:     func(string) string { return group.URL() },
		pause: func(t testing.TB) {
			stopped = group.Primary(t)
			stopped.Pause(t)
		},
		resume: func(t testing.TB) { stopped.Resume(t) },
		kill: func(t testing.TB) {
			stopped = group.Primary(t)
			stopped.Kill(t)
			group.AwaitFailover(t, stopped)
		},
		start: func(t testing.TB) { stopped.Start(t) },
	}
}

// pair has two nodes on one engine, each behind its own proxy.
type pair struct {
	engine
	a, b     *site
	both     []*site
	toA, toB *tcpproxy.Proxy
}

// newPair starts two nodes simultaneously on an empty engine.
func newPair(t *testing.T, e engine, realm ...string) *pair {
	t.Helper()
	p := &pair{engine: e}
	node := func() (*site, *tcpproxy.Proxy) {
		address, proxy := "", (*tcpproxy.Proxy)(nil)
		if e.address != "" {
			proxy = tcpproxy.New(t, e.address)
			address = proxy.Address()
		}
		s := prepareSite(t, caddyfile{
			Realm: slices.Concat(debugLinks, noLimits, e.storage, realm),
		}, "STORE="+e.url(address))
		return s, proxy
	}
	p.a, p.toA = node()
	p.b, p.toB = node()
	p.both = []*site{p.a, p.b}
	var starting sync.WaitGroup
	starting.Go(func() { p.b.Start(t) })
	p.a.Start(t)
	starting.Wait()
	return p
}

// proxies calls do for the proxies of both nodes, if there are any.
func (p *pair) proxies(do func(*tcpproxy.Proxy)) {
	for _, proxy := range []*tcpproxy.Proxy{p.toA, p.toB} {
		if proxy != nil {
			do(proxy)
		}
	}
}

// status sends a request with a token to a node.
func (s *site) status(t testing.TB, token string) (int, error) {
	got, err := s.try(t, http.MethodGet, "/whoami", "", "", "Authorization", "Token "+token)
	return got.status, err
}

// refusedAfter returns the time until a node refuses a token. A request that begins
// after the limit must be refused.
func (s *site) refusedAfter(t testing.TB, token string, since time.Time, limit time.Duration) time.Duration {
	t.Helper()
	for late := false; !late; {
		late = time.Since(since) >= limit
		switch status, err := s.status(t, token); {
		case err != nil:
			t.Fatal(err)
		case status == http.StatusUnauthorized:
			return time.Since(since)
		case status != http.StatusOK:
			t.Fatalf("status %d", status)
		}
	}
	t.Errorf("the token is still accepted after %s", limit)
	return limit
}

// spread formats a distribution.
func spread(times []time.Duration) string {
	slices.Sort(times)
	at := func(part float64) time.Duration {
		return times[min(len(times)-1, int(part*float64(len(times))))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("of %d: half within %s, 90 %% within %s, 99 %% within %s, all within %s",
		len(times), at(.5), at(.9), at(.99), at(1))
}
