package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/bench/internal/load"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// logins measures links, logins and refreshes over HTTP on every engine.
func (b *bench) logins() {
	b.section("The login API", "HTTP requests without limits; mails are rendered and dropped. A first login creates an account, a later login and a refresh use it; "+
		"each waits for one durable commit. PostgreSQL has `%s`, for commits of 5 ms also `%s`, Redis `%s`. Engine, server and load generator share "+
		"the processors; CPU is that of the server alone.", strings.ReplaceAll(postgresSettings, " ", ", "), slowCommits, redisSettings)
	b.table("request, engine", "clients", "per second", "p50 µs", "p99 µs", "CPU µs each")
	missing := map[string]string{}
	for _, e := range engines() {
		missing[e.name] = b.scope(func(b *bench) {
			address := e.start(b)
			for _, clients := range []int{1, manyClients} {
				b.scope(func(b *bench) { b.loginsOn(e, address, clients) })
			}
		})
	}
	for engine, reason := range missing {
		b.omits(engine, reason)
	}
	b.goBenchmarks("one write of 200 bytes to an engine, without edgeauth", ".", "BenchmarkWrite", "op/s", "per second")
}

// loginClient sends requests to the login API and adds a row for each kind. Each
// address has one place in secrets and in tokens.
type loginClient struct {
	*bench
	engine          string
	count           int
	servers         []*server
	clients         *load.Clients
	secrets, tokens []string
}

// loginsOn adds the rows of an engine.
func (b *bench) loginsOn(e engine, address string, clients int) {
	n := map[int]int{1: b.alone, manyClients: b.together}[clients]
	b.Logf("login: %s, %d clients", e.name, clients)
	c := &loginClient{bench: b, engine: e.name, count: clients, secrets: make([]string, n), tokens: make([]string, n)}
	// A new part of the engine is a store that no other run uses.
	storage := strings.NewReplacer("{address}", address, "{dir}", b.TempDir(), "{part}", strings.ToLower(rand.Text()[:12])).Replace(e.option)
	c.servers = []*server{b.startCaddy(realmBlock("storage "+storage), "login_api", probe{path: "/v1/auth/.well-known/jwks.json"})}
	c.clients = b.dial(c.servers[0], clients)
	c.requestLinks("link")
	c.logIn("first login")
	c.requestLinks("link, known address")
	c.logIn("later login")
	c.post("refresh", "/v1/auth/token/refresh/", n, c.tokens, `"token":"`, func(i int) (string, string) {
		return "Authorization: Token " + c.tokens[i] + "\r\n", "{}"
	})
}

func (b *bench) dial(s *server, n int) *load.Clients {
	clients, err := load.Dial(b.Context(), s.address, n)
	b.check(err)
	b.Cleanup(clients.Close)
	return clients
}

// requestLinks sends bursts that fit into the queue of 1000 mails, with pauses.
func (c *loginClient) requestLinks(title string) {
	c.post(title, "/v1/auth/by-link/link/", 800, c.secrets, `"_debug_auth_link":"`+emailLink, func(i int) (string, string) {
		return "", fmt.Sprintf(`{"email":"user%07d@example.com"}`, i)
	})
}

func (c *loginClient) logIn(title string) {
	c.post(title, "/v1/auth/by-link/login/", len(c.tokens), c.tokens, `"token":"`, func(i int) (string, string) {
		return "", fmt.Sprintf(`{"token":%q,"client_key":%q}`, c.secrets[i], clientKey)
	})
}

// post sends a request for each address, in bursts. It stores the text that follows
// prefix in the response, up to the next quotation mark.
func (c *loginClient) post(title, path string, burst int, found []string, prefix string, request func(i int) (headers, body string)) {
	before, all := c.processorTime(c.servers), &load.Result{}
	for first := 0; first < len(found); first += burst {
		result, err := c.clients.Run(c.Context(), min(burst, len(found)-first), func(buffer []byte, i int) []byte {
			headers, body := request(first + i)
			return fmt.Appendf(buffer, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				path, c.servers[0].address, headers, len(body), body)
		}, func(i, status int, body []byte) error {
			_, rest, ok := bytes.Cut(body, []byte(prefix))
			text, _, ended := bytes.Cut(rest, []byte(`"`))
			if status != http.StatusOK || !ok || !ended {
				return fmt.Errorf("POST %s: status %d: %s", path, status, body)
			}
			found[first+i] = string(text)
			return nil
		})
		c.check(err)
		all.Elapsed, all.Latencies = all.Elapsed+result.Elapsed, append(all.Latencies, result.Latencies...)
		for used := 1e6; used > 5000; { // until the server is idle
			start := c.processorTime(c.servers)
			<-time.After(300 * time.Millisecond)
			used = c.processorTime(c.servers) - start
		}
	}
	used := (c.processorTime(c.servers) - before) / float64(len(found))
	c.row(title+", "+c.engine, count(c.count), figure(all.Rate()), figure(all.Quantile(0.5)), figure(all.Quantile(0.99)), figure(used))
}

// engine is an engine of the store. All but memory are durable.
type engine struct {
	name string
	// start starts the engine's server, if it has one, and returns its address.
	start func(*bench) string
	// option is the storage option, in which loginsOn replaces {address}, {dir} and {part}.
	option string
}

// Settings with which a committed transaction is on disk. With slowCommits, each flush
// takes 5 ms longer and serves all transactions that wait for it, like a slow disk.
const (
	postgresSettings = "fsync=on synchronous_commit=on full_page_writes=on autovacuum=on shared_buffers=128MB"
	slowCommits      = "commit_delay=5000 commit_siblings=0"
	redisSettings    = "appendonly yes, appendfsync always"
)

func engines() []engine {
	none := func(*bench) string { return "" }
	postgres := "postgres {address} {\nschema {part}\n}"
	return []engine{
		{"memory", none, "memory"},
		{"bolt", none, "bolt {dir}/{part}.db"},
		{"postgres", startPostgres(""), postgres},
		{"postgres with commits of 5 ms", startPostgres(slowCommits), postgres},
		{"redis", startRedis, "redis {address} {\nkey_prefix {part}:\n}"},
	}
}

func startPostgres(more string) func(*bench) string {
	return func(b *bench) string {
		return pgtest.Start(b, strings.Fields(postgresSettings+" "+more)...).Database(b)
	}
}

func startRedis(b *bench) string {
	return redistest.Start(b, strings.Split(redisSettings, ", ")...).URL()
}
