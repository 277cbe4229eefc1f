package main

import (
	"cmp"
	_ "embed" // nginx.conf
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// connections is the number of connections that send requests. Caddy keeps 32 idle
// connections to an upstream: with more, the proxy dials again and again. manyClients
// is the number of concurrent clients of the login API.
const connections, manyClients = 32, 64

// The baselines: the plain proxy, with requests of four headers, and with more
// connections.
const plain, few, busy = "plain", "plain-few", "plain-busy"

// scale determines the amount of work.
type scale struct {
	// sets, rounds and requests describe the slices of a row. Two processes of one
	// program differ by up to 5 % for as long as they live, so that more sets tell
	// more than more rounds.
	sets, rounds, requests int
	// rotating and flood are numbers of distinct tokens.
	rotating, flood int
	// revocations are the numbers of revocations in the section on growth; the row
	// with revocations has the last of them.
	revocations []int
	// alone and together are numbers of logins by one and by many clients.
	alone, together int
	// benchtime and hostRounds are -benchtime and -count of Go benchmarks. hostRounds
	// and hostRequests describe the slices of the JavaScript hosts.
	benchtime                string
	hostRounds, hostRequests int
}

func fullScale() scale {
	return scale{
		sets: 9, rounds: 3, requests: 3000, rotating: 10_000, revocations: []int{1, 1000, 100_000, 1_000_000},
		flood: 200_000, alone: 1000, together: 10_000, benchtime: "1s", hostRounds: 7, hostRequests: 2000,
	}
}

func quickScale() scale {
	return scale{
		sets: 2, rounds: 2, requests: 1500, rotating: 10_000, revocations: []int{1, 1000, 100_000},
		flood: 60_000, alone: 300, together: 3000, benchtime: "100ms", hostRounds: 2, hostRequests: 1000,
	}
}

// starter starts the servers of a row; requests are sent to the first.
type starter func(b *bench, r *realm) []*server

// row is one row of the request costs.
type row struct {
	name, title string
	start       starter
	tokens      stream // nil means hot
	// once means that each token is sent once.
	once bool
	// baseline is the row that it is compared with: plain, or few, whose requests
	// have four headers, like those of a program, and not those of a browser, or
	// another one.
	baseline string
	// connections is their number; 0 means the constant.
	connections int
	// algorithm is that of the realm; "" means EdDSA.
	algorithm string
	// revoked is the number of revocations, and of live sessions.
	revoked int
	// cookie sends the token in the session cookie instead of Authorization.
	cookie bool
	// status is the expected status; 0 means 200.
	status int
	// environment is that of the servers in addition to that of this process.
	environment []string
	// program is one without which the row is left out.
	program string
}

// rows lists the rows.
func (s scale) rows() []row {
	const refused = http.StatusUnauthorized
	many := s.revocations[len(s.revocations)-1]
	sameHeaders := "request_header -Authorization\nrequest_header X-Auth-User-Id " + uuid("user", 0) + "\nrequest_header X-Auth-Email a@example.com\n"
	list := []row{
		{name: plain, title: "plain `reverse_proxy`", start: proxy("", "")},
		{name: "control", title: "plain `reverse_proxy`, a second process", start: proxy("", "")},
		{name: "hot", title: "one hot token", start: gated("", "")},
		{name: "hot-cookie", title: "one hot token in the session cookie", cookie: true, start: gated("", "login_page /auth\norigin https://app.example.com")},
		{name: "request_header", title: "`request_header` three times for the same headers, no check", start: proxy(sameHeaders, "")},
		{name: "one-header", title: "one hot token, `headers X-Auth-User-Id`", start: gated("", "headers X-Auth-User-Id")},
		{name: few, title: "plain `reverse_proxy`, requests with four headers", start: proxy("", ""), baseline: few},
		{name: "hot-few", title: "one hot token, requests with four headers", start: gated("", ""), baseline: few},
		{name: "rotation", title: count(s.rotating) + " tokens in rotation", start: gated("", ""), tokens: rotating},
		{name: "revoked", title: "one hot token, " + count(many) + " revocations", start: gated("", ""), revoked: many},
		{name: "first", title: "each token for the first time", start: gated("", ""), tokens: fresh, once: true},
		{name: "forged", title: "forged signature, each token for the first time", start: gated("", ""), tokens: forged, once: true, status: refused},
		{name: "none", title: "no token", start: gated("", ""), tokens: noToken, status: refused},
		{name: "malformed", title: "malformed token", start: gated("", ""), tokens: malformed, status: refused},
		{name: "unknown-key", title: "unknown key", start: gated("", ""), tokens: unknownKey, status: refused},
		{name: "wrong-algorithm", title: "wrong algorithm", start: gated("", ""), tokens: wrongAlgorithm, status: refused},
		{name: "expired", title: "expired token", start: gated("", ""), tokens: expired, status: refused},
		{name: "forward_auth", title: "one hot token, `forward_auth` to `/verify/` of another Caddy (both)", start: forwardAuth},
		{name: "auth_request", title: "one hot token, nginx `auth_request` to `/verify/` (both)", start: authRequest, program: "nginx"},
		{name: busy, title: "plain `reverse_proxy`, 128 connections", start: proxy("", ""), baseline: busy, connections: 128},
		{
			name: "keepalive", title: "the same with `keepalive_idle_conns_per_host 256`; ratio to the row before",
			start: proxy("", "transport http {\nkeepalive_idle_conns_per_host 256\n}"), baseline: busy, connections: 128,
		},
		{name: "gogc", title: "one hot token, `GOGC=400`; ratio to one hot token without", start: gated("", ""), baseline: "hot", environment: []string{"GOGC=400"}},
	}
	for _, algorithm := range []string{gate.ES256, gate.RS256, gate.HS256} {
		hot := row{name: "hot-" + algorithm, title: "one hot token, " + algorithm, start: gated("", ""), algorithm: algorithm}
		first := hot
		first.name, first.title, first.tokens, first.once = "first-"+algorithm, "each token for the first time, "+algorithm, fresh, true
		list = append(list, hot, first)
	}
	return list
}

// chosen returns the rows whose programs are installed: all of them, or those that the
// command line names and their baselines.
func (b *bench) chosen() []row {
	list, names := b.rows(), slices.Concat(b.only, b.profiles)
	wanted := map[string]bool{}
	for _, r := range slices.Backward(list) { // a baseline is before the rows that need it
		if len(names) == 0 || slices.Contains(names, "requests") || slices.Contains(names, r.name) || wanted[r.name] {
			wanted[r.name], wanted[cmp.Or(r.baseline, plain)] = true, true
		}
	}
	return slices.DeleteFunc(list, func(r row) bool {
		if wanted[r.name] && r.program != "" {
			return b.omits(r.title, b.scope(func(b *bench) { servertest.Find(b, r.program, "/usr/sbin") }))
		}
		return !wanted[r.name]
	})
}

// proxy starts a proxy, with options, after directives that need no realm.
func proxy(directives, options string) starter {
	return func(b *bench, _ *realm) []*server {
		return []*server{b.startCaddy("", directives+"reverse_proxy "+b.upstream+" {\n"+options+"\n}", probe{path: "/"})}
	}
}

// gated starts a proxy after token_auth, with options of the realm and of token_auth.
func gated(realmOptions, options string) starter {
	return func(b *bench, r *realm) []*server {
		file := r.path
		if !r.revoked { // Several servers may use the realm at a time.
			file = filepath.Join(b.TempDir(), "edgeauth.db")
			content, err := os.ReadFile(r.path)
			b.check(err)
			b.check(os.WriteFile(file, content, 0o600)) //nolint:gosec // a directory of our own
		}
		return []*server{b.startCaddy(realmBlock("algorithm "+r.algorithm+"\nstorage bolt "+file+"\n"+realmOptions),
			"login_api\ntoken_auth {\n"+options+"\n}\nreverse_proxy "+b.upstream, probe{"/", r.hot})}
	}
}

// forwardAuth starts a proxy that asks another server about each request.
func forwardAuth(b *bench, r *realm) []*server {
	other := gated("", "")(b, r)[0]
	site := "forward_auth " + other.address + " {\nuri /v1/auth/verify/\ncopy_headers X-Auth-User-Id X-Auth-Email " +
		"X-Auth-Email-Verified X-Auth-Name X-Auth-Method X-Auth-Client X-Auth-Session-Id X-Auth-Assertion\n}\n"
	return []*server{b.startCaddy("", site+"reverse_proxy "+b.upstream, probe{"/", r.hot}), other}
}

//go:embed nginx.conf
var nginxConfig string

// authRequest starts an nginx that asks another server about each request.
func authRequest(b *bench, r *realm) []*server {
	other, s := gated("", "")(b, r)[0], &server{address: b.freeAddress()}
	config := strings.NewReplacer("{address}", s.address, "{application}", b.upstream, "{edge}", other.address).Replace(nginxConfig)
	b.start(s, probe{"/", r.hot}, servertest.Find(b, "nginx", "/usr/sbin"), "nginx.conf", config, "-e", "stderr", "-p", ".", "-c")
	return []*server{s, other}
}
