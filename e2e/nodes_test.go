package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/tcpproxy"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// logoutBound limits the time from a logout at one node to the refusal at the other.
// logoutSlack is added on a busy machine.
const (
	logoutBound = time.Second
	logoutSlack = 2 * time.Second
)

func engines() map[string]func(testing.TB) engine {
	return map[string]func(testing.TB) engine{"PostgreSQL": startPostgres, "Redis": startRedis}
}

// TestTwoNodes checks that two nodes on one store act as one.
func TestTwoNodes(t *testing.T) {
	for name, start := range engines() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, start(t))
			t.Run("one link, two nodes", p.linkCrosses)
			t.Run("a crowd with one link", p.crowd)
			t.Run("another algorithm", p.algorithm)
			t.Run("pushed logouts", func(t *testing.T) {
				p.logouts(t, 60)
				p.lags(t)
			})
			t.Run("polled logouts", func(t *testing.T) {
				p.proxies(func(proxy *tcpproxy.Proxy) { proxy.Mute(p.notifies) })
				defer p.proxies((*tcpproxy.Proxy).Heal)
				p.settle(t)
				p.logouts(t, 20)
			})
		})
	}
}

// TestCutOffNode checks `on_stale reject`: a node without connection to the store
// answers 503 to requests with a token, and recovers without a restart. It accepts
// no token before it has read all revocations that it missed.
func TestCutOffNode(t *testing.T) {
	p := newPair(t, startRedis(t), "revocation_max_staleness 5s", "on_stale reject")
	good, ended := p.b.logIn(t, "good@example.com").token, p.b.logIn(t, "ended@example.com").token
	for _, token := range []string{good, ended} {
		p.a.get(t, "/whoami", token).must(t, http.StatusOK)
	}
	p.toA.Freeze()
	wait.Until(t, time.Minute, "the node notices", func() bool {
		return p.a.get(t, "/whoami", good).status == http.StatusServiceUnavailable
	})
	p.b.logOut(t, ended)
	p.b.get(t, "/whoami", good).must(t, http.StatusOK)
	for _, path := range []string{"/whoami", "/v1/auth/user/", "/v1/auth/verify/"} {
		got := p.a.get(t, path, good)
		got.refused(t, http.StatusServiceUnavailable, "unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: without Retry-After", path)
		}
	}
	isRefused(t, "a bad token", p.a.get(t, "/whoami", "x"), bodyInvalid)
	wait.Until(t, time.Minute, "the log reports it", func() bool { return p.a.Log.Contains("revocations of other nodes are missing") })
	p.toA.Heal()
	// The token that ended is refused as soon as its revocation is read, the good one is
	// accepted when all of them are.
	wait.Until(t, time.Minute, "the node heals", func() bool {
		healed := p.a.get(t, "/whoami", good).status == http.StatusOK
		got := p.a.get(t, "/whoami", ended).status
		if got != http.StatusUnauthorized && (healed || got != http.StatusServiceUnavailable) {
			t.Errorf("a token that ended meanwhile = %d, want 401, or 503 until the node heals", got)
		}
		return healed
	})
	wait.Until(t, time.Minute, "the log reports it", func() bool { return p.a.Log.Contains("reading revocations succeeded again") })
}

// linkCrosses requests a link at one node and uses it at the other. Both accept the
// token.
func (p *pair) linkCrosses(t *testing.T) {
	for _, way := range [][2]*site{{p.a, p.b}, {p.b, p.a}} {
		asked, spent := way[0], way[1]
		link := asked.requestLink(t, "cross@example.com")
		l := spent.loggedIn(t, spent.spendLink(t, link))
		asked.spendLink(t, link).refused(t, http.StatusBadRequest, "invalid_link")
		for _, s := range p.both {
			s.get(t, "/whoami", l.token).must(t, http.StatusOK)
		}
	}
}

// crowd uses one link many times at both nodes simultaneously: one login succeeds.
func (p *pair) crowd(t *testing.T) {
	const many = 100
	link := p.a.requestLink(t, "crowd@example.com")
	var mu sync.Mutex
	got := map[int]int{}
	start := make(chan struct{})
	var crowd sync.WaitGroup
	for i := range many {
		crowd.Go(func() {
			<-start
			body := encode(t, map[string]any{"token": link, "client_key": clientKey})
			a, err := p.both[i%2].try(t, http.MethodPost, "/v1/auth/by-link/login/", jsonType, body)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[a.status]++
		})
	}
	close(start)
	crowd.Wait()
	if got[http.StatusOK] != 1 || got[http.StatusBadRequest] != many-1 {
		t.Errorf("answers %v", got)
	}
}

// algorithm changes the algorithm at one node. Both nodes accept the tokens of both
// algorithms. A new key signs only when all nodes have read it.
func (p *pair) algorithm(t *testing.T) {
	p.a.reconfigure(t, func(c *caddyfile) { c.Realm = append(slices.Clone(c.Realm), "algorithm ES256") })
	token := p.a.logIn(t, "algorithm@example.com").token
	p.b.get(t, "/whoami", token).must(t, http.StatusOK)
	p.a.get(t, "/whoami", p.b.logIn(t, "algorithm@example.com").token).must(t, http.StatusOK)
}

// logouts measures the time until a logout at one node is in force at the other. All
// must be in force within the bound and the slack, nine of ten within the bound: a
// busy machine delays some of them. The tests of package revocation check every
// logout with an injected clock.
func (p *pair) logouts(t *testing.T, many int) {
	times := make([]time.Duration, 0, many)
	for i := range many {
		from, to := p.both[i%2], p.both[(i+1)%2]
		token := from.logIn(t, fmt.Sprintf("logout%d@example.com", i%5)).token
		to.get(t, "/whoami", token).must(t, http.StatusOK)
		from.logOut(t, token)
		times = append(times, to.refusedAfter(t, token, time.Now(), logoutBound+logoutSlack))
	}
	t.Logf("%s: %s", p.name, spread(times))
	if most := times[len(times)*9/10]; most > logoutBound {
		t.Errorf("nine of ten take up to %s", most)
	}
}

// lags checks the delays that both nodes measured by the clock of the engine, as
// logouts does.
func (p *pair) lags(t *testing.T) {
	t.Helper()
	for _, s := range p.both {
		response, err := s.client.Get("http://" + s.Admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		value := func(name string) (n float64) {
			_, rest, found := strings.Cut(string(text), "\n"+name+" ")
			if _, err := fmt.Sscan(rest, &n); !found || err != nil {
				t.Errorf("no %s among the metrics", name)
			}
			return n
		}
		const lag = "edgeauth_revocation_lag_seconds_"
		all, in := value(lag+`count{realm=""}`), value(lag+`bucket{realm="",le="1"}`)
		if all == 0 || in < all*9/10 {
			t.Errorf("%.0f logouts of another node, %.0f of them within a second", all, in)
		}
		if age := value(`edgeauth_revocations_age_seconds{realm=""}`); age > 5 {
			t.Errorf("the revocations are %.1f seconds old", age)
		}
	}
}

// settle waits until both nodes serve logins.
func (p *pair) settle(t *testing.T) {
	t.Helper()
	for _, s := range p.both {
		eventuallyLogsIn(t, s)
	}
}

// eventuallyLogsIn waits until a login at a node succeeds.
func eventuallyLogsIn(t *testing.T, s *site) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		if status, _ := loginOnce(t, s, "settle@example.com"); status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("logins do not come back")
		}
	}
}

// loginOnce logs in and returns the last status and the token.
func loginOnce(t testing.TB, s *site, email string) (status int, token string) {
	asked, err := s.try(t, http.MethodPost, "/v1/auth/by-link/link/", jsonType, encode(t, map[string]any{"email": email}))
	if err != nil || asked.status != http.StatusOK {
		return asked.status, ""
	}
	link := strings.TrimPrefix(asked.text(t, "_debug_auth_link"), linkPrefix)
	spent, err := s.try(t, http.MethodPost, "/v1/auth/by-link/login/", jsonType,
		encode(t, map[string]any{"token": link, "client_key": clientKey}))
	if err != nil || spent.status != http.StatusOK {
		return spent.status, ""
	}
	return spent.status, spent.text(t, "token")
}
