package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// Clients of one session, and what they send together.
const (
	sharers        = 6
	sharedRequests = 120
	sharedRefresh  = 20
)

// tokenStorage is the storage that the tabs of a browser share.
type tokenStorage struct {
	mu      sync.Mutex
	token   string
	expires time.Time
	all     []string // tokens in the order of their arrival
}

func (m *tokenStorage) load() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.token
}

// store replaces the token only by one that expires later, as package session
// requires of its clients.
func (m *tokenStorage) store(t *testing.T, got answer) {
	t.Helper()
	expires, err := time.Parse(time.RFC3339, got.text(t, "expires_at"))
	if err != nil {
		t.Errorf("expires_at: %v", err)
	}
	token := got.text(t, "token")
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.all, token) {
		m.all = append(m.all, token)
	}
	if expires.After(m.expires) {
		m.token, m.expires = token, expires
	}
}

// sharedEngines starts the nodes for each engine: one for an engine of a single
// process, two for the others.
func sharedEngines() map[string]func(*testing.T, ...string) []*site {
	single := func(storage ...string) func(*testing.T, ...string) []*site {
		return func(t *testing.T, realm ...string) []*site {
			t.Helper()
			return []*site{newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits, storage, realm)})}
		}
	}
	two := func(start func(testing.TB) engine) func(*testing.T, ...string) []*site {
		return func(t *testing.T, realm ...string) []*site {
			t.Helper()
			return newPair(t, start(t), realm...).both
		}
	}
	return map[string]func(*testing.T, ...string) []*site{
		"memory": single("storage memory"), "bolt": single(),
		"PostgreSQL": two(startPostgres), "Redis": two(startRedis), "Redis Sentinel": two(startSentinels),
	}
}

// TestSharedToken sends requests of six clients that share one token, at all nodes,
// while they refresh it and some answers are lost. No request may get a 401: a
// refresh invalidates no token, and a repeated refresh gets the same successor.
func TestSharedToken(t *testing.T) {
	for name, start := range sharedEngines() {
		t.Run(name, func(t *testing.T) {
			nodes := start(t)
			first := nodes[0].spendLink(t, nodes[0].requestLink(t, "tabs@example.com")).must(t, http.StatusOK)
			shared := &tokenStorage{}
			shared.store(t, first)
			var clients sync.WaitGroup
			for client := range sharers {
				clients.Go(func() { useShared(t, nodes, client, shared, first.text(t, "token")) })
			}
			clients.Wait()
			if len(shared.all) < 2 {
				t.Errorf("%d tokens, want successors", len(shared.all))
			}
			for _, s := range nodes { // all of them are accepted, at every node
				for i, token := range shared.all {
					if status, err := s.status(t, token); status != http.StatusOK {
						t.Errorf("token %d of %d = %d %v, want 200", i+1, len(shared.all), status, err)
					}
				}
			}
			nodes[0].logOut(t, first.text(t, "token"))
			ended := time.Now()
			for _, s := range nodes {
				for _, token := range shared.all {
					s.secrets.Add("token", token)
					s.refusedAfter(t, token, ended, logoutBound+logoutSlack)
				}
			}
			t.Logf("%d tokens of one session", len(shared.all))
		})
	}
}

// useShared sends the requests of one client. One in six is a refresh, and one
// refresh in four loses its answer and is repeated. Client 0 keeps the first token
// for its other requests.
func useShared(t *testing.T, nodes []*site, client int, shared *tokenStorage, first string) {
	const perClient = sharedRequests / sharers
	for n := range perClient {
		s, token := nodes[(client+n)%len(nodes)], shared.load()
		// The refreshes of all clients together: sharedRefresh.
		if (client*perClient+n)%(sharedRequests/sharedRefresh) == 0 {
			if (client+n)%4 == 0 {
				loseAnswer(t, s, token)
			}
			got, err := s.try(t, http.MethodPost, "/v1/auth/token/refresh/", jsonType, "{}", "Authorization", "Token "+token)
			if err != nil || got.status != http.StatusOK {
				t.Errorf("refresh by client %d = %d %s %v, want 200", client, got.status, got.body, err)
				return
			}
			shared.store(t, got)
			continue
		}
		if client == 0 {
			token = first
		}
		if status, err := s.status(t, token); status != http.StatusOK {
			t.Errorf("request %d of client %d = %d %v, want 200", n, client, status, err)
		}
	}
}

// loseAnswer sends a refresh and closes the connection before its answer.
func loseAnswer(t *testing.T, s *site, token string) {
	host := strings.TrimPrefix(s.URL, "http://")
	conn, err := net.DialTimeout("tcp", host, time.Minute)
	if err != nil {
		t.Errorf("connect: %v", err)
		return
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/auth/token/refresh/ HTTP/1.1\r\nHost: %s\r\nAuthorization: Token %s\r\nContent-Length: 0\r\n\r\n", host, token)
	if err != nil {
		t.Errorf("send a refresh: %v", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.ReadFull(conn, make([]byte, 1)) // the server has answered, and the rest is lost
}

// TestRefreshOrder checks that a newer token of a session expires later, also when
// several are issued in one second and at two nodes.
func TestRefreshOrder(t *testing.T) {
	nodes := newPair(t, startRedis(t)).both
	got := nodes[0].spendLink(t, nodes[0].requestLink(t, "order@example.com")).must(t, http.StatusOK)
	var before time.Time
	for n := range 8 {
		expires, err := time.Parse(time.RFC3339, got.text(t, "expires_at"))
		if err != nil || !expires.After(before) {
			t.Errorf("token %d expires at %s (%v), want a time after %s", n, expires, err, before)
		}
		before = expires
		s := nodes[n%2]
		s.secrets.Add("token", got.text(t, "token"))
		got = s.post(t, "/token/refresh/", map[string]any{}, "Authorization", "Token "+got.text(t, "token")).must(t, http.StatusOK)
	}
}

// TestRefreshReuse refreshes with a superseded token: within the grace at either node
// the successor is returned again, and after it the session ends at both (RFC 9700,
// section 4.14.2).
func TestRefreshReuse(t *testing.T) {
	const grace = 10 * time.Second // enough for two refreshes on a busy machine
	nodes := newPair(t, startPostgres(t), "refresh_grace 10s").both
	old := nodes[0].logIn(t, "reuse@example.com")
	bystander := nodes[1].logIn(t, "reuse@example.com")
	fresh, replaced := nodes[0].refresh(t, old.token), time.Now()
	again, err := nodes[1].try(t, http.MethodPost, "/v1/auth/token/refresh/", jsonType, "{}", "Authorization", "Token "+old.token)
	if err != nil || again.status != http.StatusOK || again.text(t, "expires_at") != fresh.user["expires_at"] {
		t.Errorf("the same refresh at the other node = %d %s %v, want the token that expires at %s", again.status, again.body, err, fresh.user["expires_at"])
	}
	for _, s := range nodes {
		s.get(t, "/whoami", old.token).must(t, http.StatusOK)
		s.get(t, "/whoami", fresh.token).must(t, http.StatusOK)
	}
	wait.Until(t, time.Minute, "the grace ends", func() bool { return time.Since(replaced) > grace+time.Second })
	isRefused(t, "a refresh with a superseded token", nodes[1].post(t, "/token/refresh/", map[string]any{}, "Authorization", "Token "+old.token), bodyInvalid)
	ended := time.Now()
	for _, token := range []string{old.token, fresh.token} {
		isRefused(t, "a token of the session at this node", nodes[1].get(t, "/whoami", token), bodyInvalid)
		nodes[0].refusedAfter(t, token, ended, logoutBound+logoutSlack)
	}
	for _, s := range nodes {
		s.get(t, "/whoami", bystander.token).must(t, http.StatusOK)
	}
}
