package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/tcpproxy"
)

// Limits of answers while the store fails. They are wider than the documented ones,
// for a busy machine.
const (
	longestAnswer  = 15 * time.Second
	slowestProxied = 5 * time.Second
	healLimit      = 45 * time.Second
)

// storeFault is a fault of the store of two nodes, and its end.
type storeFault struct {
	name string
	// strike begins it and heal ends it. A continuous fault lasts until done is
	// closed.
	strike func(t *testing.T, p *pair, done <-chan struct{})
	heal   func(t *testing.T, p *pair)
	// possible reports whether the fault applies to this engine and machine.
	possible func(p *pair) bool
	// hangs marks faults that end in timeouts: steps of the store have 5 seconds.
	hangs bool
	// lossless marks faults that must not fail every login.
	lossless bool
}

func always(*pair) bool { return true }

// hasProxy is for faults of the network: the servers must not announce each other's
// addresses.
func hasProxy(p *pair) bool { return p.toA != nil }

func isAlone(p *pair) bool { return p.stop != nil }

func isGroup(p *pair) bool { return p.stop == nil }

// storeFaults lists the faults in the order of the table.
func storeFaults() []storeFault {
	healProxies := func(_ *testing.T, p *pair) { p.proxies((*tcpproxy.Proxy).Heal) }
	onProxies := func(do func(*tcpproxy.Proxy)) func(*testing.T, *pair, <-chan struct{}) {
		return func(_ *testing.T, p *pair, _ <-chan struct{}) { p.proxies(do) }
	}
	return []storeFault{
		{
			name: "hung (SIGSTOP)", possible: always, hangs: true,
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.pause(t) },
			heal:   func(t *testing.T, p *pair) { p.resume(t) },
		},
		{
			name: "killed, started again later", possible: isAlone,
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.kill(t) },
			heal:   func(t *testing.T, p *pair) { p.start(t) },
		},
		{
			name: "primary killed, failed over, former one started again later", possible: isGroup, hangs: true,
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.kill(t) },
			heal:   func(t *testing.T, p *pair) { p.start(t) },
		},
		{
			name: "restarted", possible: isAlone,
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.stop(t); p.start(t) },
			heal:   func(*testing.T, *pair) {},
		},
		{
			name: "cut off from both nodes", possible: hasProxy, hangs: true,
			strike: onProxies((*tcpproxy.Proxy).Freeze), heal: healProxies,
		},
		{
			name: "cut off from one node", possible: hasProxy, hangs: true,
			strike: func(_ *testing.T, p *pair, _ <-chan struct{}) { p.toA.Freeze() },
			heal:   healProxies,
		},
		{
			name: "vanished (packets dropped, connections forgotten)", possible: hasProxy, hangs: true,
			strike: onProxies((*tcpproxy.Proxy).Vanish), heal: healProxies,
		},
		{
			name: "connections refused", possible: hasProxy,
			strike: onProxies((*tcpproxy.Proxy).Refuse), heal: healProxies,
		},
		{
			name: "slow (200 ms each way)", possible: hasProxy, lossless: true,
			strike: onProxies(func(proxy *tcpproxy.Proxy) { proxy.Delay(200 * time.Millisecond) }), heal: healProxies,
		},
		{
			name: "connections cut in the middle", possible: hasProxy,
			strike: cutRepeatedly, heal: healProxies,
		},
		{
			name: "full", possible: func(p *pair) bool { return p.fill != nil },
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.fill(t) },
			heal:   func(t *testing.T, p *pair) { p.empty(t) },
		},
	}
}

// cutRepeatedly ends connections after a random number of bytes of a request or an
// answer, and so in the middle of every operation.
func cutRepeatedly(_ *testing.T, p *pair, done <-chan struct{}) {
	next := time.NewTicker(50 * time.Millisecond)
	defer next.Stop()
	for {
		p.proxies(func(proxy *tcpproxy.Proxy) {
			proxy.CutAfter(1+rand.IntN(3000), tcpproxy.Direction(rand.IntN(2)))
		})
		select {
		case <-next.C:
		case <-done:
			return
		}
	}
}

// length returns the duration of a fault: with FAULTS=full that of an outage,
// otherwise a shorter one.
func (f storeFault) length() time.Duration {
	switch {
	case os.Getenv("FAULTS") == "full":
		return 12 * time.Second
	case f.hangs:
		return 6 * time.Second
	default:
		return 2 * time.Second
	}
}

// TestStoreFaults breaks the store of two nodes in every way under load. No answer may
// be a wrong 401 or a wrong 200. Afterwards acknowledged calls have taken effect, and
// both nodes recover without a restart.
func TestStoreFaults(t *testing.T) {
	table := &faultTable{}
	t.Cleanup(func() { table.print() })
	for _, name := range []string{"PostgreSQL", "Redis", "Redis Sentinel"} {
		t.Run(name, func(t *testing.T) {
			start := map[string]func(testing.TB) engine{
				"PostgreSQL": startPostgres, "Redis": startRedis, "Redis Sentinel": startSentinels,
			}[name]
			p := newPair(t, start(t))
			for round, fault := range storeFaults() {
				if !fault.possible(p) {
					if fault.name == "full" && isAlone(p) {
						t.Log("NOT TESTED: full; only root can make a small file system")
					}
					continue
				}
				t.Run(fault.name, func(t *testing.T) {
					seen, healed := p.suffer(t, round, fault)
					table.add(p, fault, seen, healed)
				})
			}
		})
	}
}

// suffer causes one fault under load. It returns the answers, and the time from the
// end of the fault to the recovery.
func (p *pair) suffer(t *testing.T, round int, fault storeFault) (seen tally, healed time.Duration) {
	t.Helper()
	p.settle(t)
	load := newStoreLoad(t, p, round)
	load.begin(t)
	done, timer := make(chan struct{}), time.NewTimer(fault.length())
	defer timer.Stop()
	var striking sync.WaitGroup
	striking.Go(func() { fault.strike(t, p, done) })
	<-timer.C
	close(done)
	striking.Wait()
	load.note(func() {
		if load.served == 0 {
			t.Error("nothing was proxied")
		}
		if fault.lossless && load.done == 0 {
			t.Error("no login succeeded")
		}
	})
	ended := time.Now()
	fault.heal(t, p)
	healed = p.healed(t, ended)
	load.end()
	load.mustHold(t)
	seen = load.tally
	if seen.wrong401+seen.wrong200+seen.other > 0 {
		t.Errorf("%d wrong 401, %d wrong 200, %d others: %s", seen.wrong401, seen.wrong200, seen.other, strings.Join(seen.faults, "; "))
	}
	if seen.longest > longestAnswer || seen.slowest > slowestProxied {
		t.Errorf("the longest login took %s, the longest proxied request %s", seen.longest, seen.slowest)
	}
	t.Logf("%d served (longest %s), %d done, %d unavailable (longest %s), healed after %s",
		seen.served, seen.slowest, seen.done, seen.unavailable, seen.longest, healed)
	return seen, healed
}

// healed waits until logins succeed at both nodes and logouts reach the other node in
// time, and returns the duration.
func (p *pair) healed(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	for i, s := range p.both {
		other := p.both[(i+1)%2]
		for {
			if time.Since(since) > healLimit {
				t.Fatalf("not healed after %s", healLimit)
			}
			status, token := loginOnce(t, s, "healed@example.com")
			if status != 200 {
				continue
			}
			left, err := s.try(t, "POST", "/v1/auth/logout/", jsonType, "{}", "Authorization", "Token "+token)
			if err != nil || left.status != 204 {
				continue
			}
			gone := time.Now()
			if other.refusedAfter(t, token, gone, 10*time.Second) <= logoutBound {
				break
			}
		}
	}
	return time.Since(since)
}

// faultTable is the table that make faults prints for the documentation.
type faultTable struct{ rows []string }

func (f *faultTable) add(p *pair, fault storeFault, seen tally, healed time.Duration) {
	f.rows = append(f.rows, fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %s | %d | %d | %s |",
		fault.name, p.name, seen.served, seen.done, seen.right401, seen.unavailable,
		tenths(seen.longest), seen.wrong401, seen.wrong200, tenths(healed)))
}

// tenths formats a time, rounded up to a tenth of a second.
func tenths(d time.Duration) string {
	return fmt.Sprintf("%.1f s", float64((d+99*time.Millisecond)/(100*time.Millisecond))/10)
}

func (f *faultTable) print() {
	if len(f.rows) == 0 {
		return
	}
	fmt.Println()
	fmt.Println("| fault | engine | proxied, 200 | logins and logouts, 200 | ended tokens, 401 | 503 | longest answer | wrong 401 | wrong 200 | time to heal |")
	fmt.Println("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, row := range f.rows {
		fmt.Println(row)
	}
}
