package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/edgeauth/edgeauth/bench/internal/load"
)

// logins measures links, logins and refreshes over HTTP on every engine.
func (b *bench) logins() {
	b.heading("The login API")
	b.paragraph("HTTP requests without limits; mails are rendered and dropped. A first login creates an account, a later login and a refresh use it; "+
		"each waits for one durable commit. PostgreSQL has `%s`, for commits of 5 ms also `%s`, Redis `%s`. Engine, server and load generator share "+
		"the processors; CPU is that of the server alone.", strings.ReplaceAll(postgresSettings, " ", ", "), slowCommits, redisSettings)
	b.table("request, engine", "clients", "per second", "p50 µs", "p99 µs", "CPU µs each")
	missing := map[string]string{}
	for _, e := range engines() {
		missing[e.name] = b.scope(func(b *bench) {
			address := e.start(b)
			for _, clients := range e.clients {
				b.Logf("login: %s, %d clients", e.name, clients)
				b.scope(func(b *bench) { b.loginsOn(e, address, clients) })
			}
		})
	}
	for engine, reason := range missing {
		if reason != "" {
			b.omit(engine, reason)
		}
	}
	b.goBenchmarks("one write of 200 bytes to an engine, without edgeauth", ".", "BenchmarkWrite", "op/s", "per second")
}

// loginClient sends requests to the login API. Each address has one place in secrets
// and in tokens.
type loginClient struct {
	*bench
	server          *server
	clients         *load.Clients
	secrets, tokens []string
	cells           []string
}

// loginsOn adds the rows of an engine.
func (b *bench) loginsOn(e engine, address string, clients int) {
	n := b.alone
	if clients > 1 {
		n = b.together
	}
	c := &loginClient{bench: b, secrets: make([]string, n), tokens: make([]string, n)}
	c.server = b.startCaddy(realmBlock(e.option(address, b.TempDir())), "login_api", probe{path: "/v1/auth/.well-known/jwks.json"})
	c.clients = b.dial(c.server, clients)
	for _, step := range []struct {
		title string
		run   func()
	}{
		{"link", c.requestLinks}, {"first login", c.logIn}, {"link, known address", c.requestLinks}, {"later login", c.logIn}, {"refresh", c.refresh},
	} {
		step.run()
		b.row(slices.Concat([]string{step.title + ", " + e.name, strconv.Itoa(clients)}, c.cells)...)
	}
}

func (b *bench) dial(s *server, n int) *load.Clients {
	clients, err := load.Dial(b.Context(), s.address, n)
	b.check(err)
	b.Cleanup(func() { _ = clients.Close() })
	return clients
}

func (c *loginClient) requestLinks() {
	c.post("/v1/auth/by-link/link/", c.secrets, `"_debug_auth_link":"`+emailLink, func(i int) (string, string) {
		return "", fmt.Sprintf(`{"email":"user%07d@example.com"}`, i)
	})
}

func (c *loginClient) logIn() {
	c.post("/v1/auth/by-link/login/", c.tokens, `"token":"`, func(i int) (string, string) {
		return "", fmt.Sprintf(`{"token":%q,"client_key":%q}`, c.secrets[i], clientKey)
	})
}

func (c *loginClient) refresh() {
	c.post("/v1/auth/token/refresh/", c.tokens, `"token":"`, func(i int) (string, string) {
		return "Authorization: Token " + c.tokens[i] + "\r\n", "{}"
	})
}

// post sends a request for each address. It stores the text that follows prefix in the
// response, up to the next quotation mark.
func (c *loginClient) post(path string, found []string, prefix string, request func(i int) (headers, body string)) {
	before := c.processorTime(c.server)
	result, err := c.clients.Run(c.Context(), load.Plan{
		Requests: len(found),
		Append: func(buffer []byte, i int) []byte {
			headers, body := request(i)
			return fmt.Appendf(buffer, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				path, c.server.address, headers, len(body), body)
		},
		Check: func(i, status int, body []byte) error {
			_, rest, ok := bytes.Cut(body, []byte(prefix))
			text, _, ended := bytes.Cut(rest, []byte(`"`))
			if status != http.StatusOK || !ok || !ended {
				return fmt.Errorf("POST %s: status %d: %s", path, status, body)
			}
			found[i] = string(text)
			return nil
		},
	})
	c.check(err)
	used := (c.processorTime(c.server) - before) / float64(len(found))
	c.cells = []string{figure(result.Rate()), figure(result.Quantile(0.5)), figure(result.Quantile(0.99)), figure(used)}
}
