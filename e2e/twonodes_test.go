package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// balanced runs the example for two nodes of the documentation: the shipped files,
// a database and a load balancer.
type balanced struct {
	nodes    [2]*site
	balancer *site
	mails    *smtpd.Server
}

func startExample(t *testing.T) *balanced {
	t.Helper()
	database := pgtest.Start(t)
	authority := ca.New(t)
	b := &balanced{mails: smtpd.Start(t, mailServer(t, authority))}
	app := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(app.Close)
	dsn := database.Database(t)
	for i := range b.nodes {
		b.nodes[i] = shippedSite(t, "node")
		b.nodes[i].Setenv(
			"WEB_CLIENT_KEY="+clientKey, "DATABASE_URL="+dsn, "APP="+app.Listener.Addr().String(), "SHUTDOWN_DELAY=4s",
		)
		b.nodes[i].Setenv(smtpEnv(authority, b.mails.Addr)...)
		b.nodes[i].Start(t)
	}
	b.balancer = shippedSite(t, "balancer")
	b.balancer.Setenv(
		"SITE="+b.balancer.URL,
		fmt.Sprintf("NODE_A=127.0.0.1:%d", b.nodes[0].Port), fmt.Sprintf("NODE_B=127.0.0.1:%d", b.nodes[1].Port),
	)
	b.balancer.Start(t)
	wait.Until(t, time.Minute, "the balancer finds the nodes", func() bool {
		return b.balancer.get(t, "/health", "").status == http.StatusOK
	})
	return b
}

func shippedSite(t *testing.T, name string) *site {
	t.Helper()
	shipped, err := os.ReadFile("../docs/examples/two-nodes/" + name + ".Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	s := bareSite(t, caddyfile{EmailLink: "https://frontend.app/auth/link/{token}"})
	s.Setenv(fmt.Sprintf("PORT=%d", s.Port), "ADMIN="+s.Admin)
	s.Configure(t, string(shipped))
	return s
}

// logIn logs in through the balancer with the link of the mail.
func (b *balanced) logIn(t *testing.T, email string) (token string, status int) {
	s := b.balancer
	asked, err := s.try(t, http.MethodPost, "/v1/auth/by-link/link/", jsonType, encode(t, map[string]any{"email": email}))
	if err != nil || asked.status != http.StatusOK {
		t.Errorf("ask for a link: %d %s %v", asked.status, asked.body, err)
		return "", asked.status
	}
	if !wait.Holds(time.Minute, func() bool { return len(b.mails.Mails(email)) > 0 }) {
		t.Errorf("no mail for %s", email)
		return "", 0
	}
	link := b.mails.Mails(email)[0].Parts(t).Link(t, "https://frontend.app/auth/link/")
	link = strings.TrimPrefix(link, "https://frontend.app/auth/link/")
	spent, err := s.try(t, http.MethodPost, "/v1/auth/by-link/login/", jsonType,
		encode(t, map[string]any{"token": link, "client_key": clientKey}))
	if err != nil || spent.status != http.StatusOK {
		t.Errorf("spend a link: %d %s %v", spent.status, spent.body, err)
		return "", spent.status
	}
	return spent.text(t, "token"), spent.status
}

// TestTwoNodesBehindABalancer restarts one node after the other under load. No request
// may fail.
func TestTwoNodesBehindABalancer(t *testing.T) {
	b := startExample(t)
	resident, _ := b.logIn(t, "resident@example.com")
	b.balancer.get(t, "/whoami", resident).must(t, http.StatusOK)
	b.balancer.get(t, "/whoami", "").must(t, http.StatusUnauthorized)

	stop := make(chan struct{})
	halt := sync.OnceFunc(func() { close(stop) })
	defer halt()
	var clients sync.WaitGroup
	var visits, logins atomic.Int64
	clients.Go(func() {
		pause := time.NewTicker(5 * time.Millisecond)
		defer pause.Stop()
		for ; !isClosed(stop); visits.Add(1) {
			if status, err := b.balancer.status(t, resident); status != http.StatusOK {
				t.Errorf("a proxied request: %d %v", status, err)
				return
			}
			<-pause.C
		}
	})
	clients.Go(func() {
		// One address may ask for 60 links in a quarter of an hour.
		pause := time.NewTicker(400 * time.Millisecond)
		defer pause.Stop()
		for n := 0; n < 55 && !isClosed(stop); n++ {
			token, status := b.logIn(t, fmt.Sprintf("rolling%d@example.com", n))
			if status != http.StatusOK {
				return
			}
			left, err := b.balancer.try(t, http.MethodPost, "/v1/auth/logout/", jsonType, "{}", "Authorization", "Token "+token)
			if err != nil || left.status != http.StatusNoContent {
				t.Errorf("log out: %d %s %v", left.status, left.body, err)
			}
			logins.Add(1)
			<-pause.C
		}
	})
	for _, node := range b.nodes {
		before, up := visits.Load(), func() int {
			return strings.Count(b.balancer.Log.String(), fmt.Sprintf(`"host is up","host":"127.0.0.1:%d"`, node.Port))
		}
		wait.Until(t, time.Minute, "requests are served", func() bool { return visits.Load() > before+100 })
		times := up()
		node.Stop(t)
		node.Start(t)
		wait.Until(t, time.Minute, "the balancer uses the node again", func() bool { return up() > times })
	}
	halt()
	clients.Wait()
	if logins.Load() == 0 {
		t.Error("no login succeeded")
	}
	t.Logf("%d proxied requests and %d logins, none dropped", visits.Load(), logins.Load())
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
