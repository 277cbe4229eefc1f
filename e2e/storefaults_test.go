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

// Bounds on what people see while the store fails. A busy machine is slow, so
// they are wider than what is promised.
const (
	longestAnswer  = 15 * time.Second
	slowestProxied = 5 * time.Second
	healLimit      = 45 * time.Second
)

// storeFault is something that happens to the store of two nodes, and its end.
type storeFault struct {
	name string
	// strike begins it and heal ends it. A fault that goes on by itself does so
	// until done is closed.
	strike func(t *testing.T, p *pair, done <-chan struct{})
	heal   func(t *testing.T, p *pair)
	// possible reports whether it can happen to this engine, here.
	possible func(p *pair) bool
	// hangs is for faults that show by nobody's answering: steps of the store
	// have 5 seconds.
	hangs bool
	// lossless is for faults in which nobody should notice anything.
	lossless bool
}

func always(*pair) bool { return true }

// hasProxy is for faults of the network, for which the servers must not tell each
// other's addresses.
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
			strike: cutAllTheTime, heal: healProxies,
		},
		{
			name: "full", possible: func(p *pair) bool { return p.fill != nil },
			strike: func(t *testing.T, p *pair, _ <-chan struct{}) { p.fill(t) },
			heal:   func(t *testing.T, p *pair) { p.empty(t) },
		},
	}
}

// cutAllTheTime ends connections after any number of bytes of a question or of an
// answer, again and again: sooner or later in the middle of each operation.
func cutAllTheTime(_ *testing.T, p *pair, done <-chan struct{}) {
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

// length is how long a fault lasts: with FAULTS=full as long as an outage,
// otherwise as short as shows something.
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

// TestStoreFaults breaks the store of two nodes in every way while people come
// and go. Not one answer may be a wrong 401 or a wrong 200; what was acknowledged
// holds afterwards, and all heals without a restart of a node.
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

// suffer lets one fault happen under load, and returns what people saw and how
// long it took after its end until all was well again.
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
			t.Error("nobody got in")
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

// healed waits until both nodes log people in and hear of each other's logouts
// in time again, and returns how long that took.
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

// faultTable is what make faults prints, and docs/operations.md shows.
type faultTable struct{ rows []string }

func (f *faultTable) add(p *pair, fault storeFault, seen tally, healed time.Duration) {
	f.rows = append(f.rows, fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %s | %d | %d | %s |",
		fault.name, p.name, seen.served, seen.done, seen.right401, seen.unavailable,
		tenths(seen.longest), seen.wrong401, seen.wrong200, tenths(healed)))
}

// tenths writes a time to a tenth of a second, upwards.
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
