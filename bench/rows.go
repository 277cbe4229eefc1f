package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// starter starts the servers of a row; requests are sent to the first.
type starter func(b *bench, r *realm) []*server

// row is one row of the request costs.
type row struct {
	name, title string
	start       starter
	tokens      stream // nil means hot
	// once means that each token is sent once.
	once bool
	// few means requests with four headers, like those of a program; others have
	// the headers of a browser.
	few bool
	// algorithm is that of the realm; "" means EdDSA.
	algorithm string
	// revoked is the number of revocations, and of live sessions.
	revoked int
	// status is the expected status; 0 means 200.
	status int
	// program is one without which the row is left out.
	program string
}

// rows lists the rows. Each is compared with the row "plain" or "plain-few", depending
// on its requests.
func (s scale) rows() []row {
	const refused = http.StatusUnauthorized
	sameHeaders := "request_header -Authorization\nrequest_header X-Auth-User-Id " + uuid("user", 0) + "\nrequest_header X-Auth-Email a@example.com\n"
	list := []row{
		{name: "plain", title: "plain `reverse_proxy`", start: proxy("")},
		{name: "control", title: "plain `reverse_proxy`, a second process", start: proxy("")},
		{name: "hot", title: "one hot token", start: gated("", "")},
		{name: "request_header", title: "`request_header` three times for the same headers, no check", start: proxy(sameHeaders)},
		{name: "one-header", title: "one hot token, `headers X-Auth-User-Id`", start: gated("", "headers X-Auth-User-Id")},
		{name: "plain-few", title: "plain `reverse_proxy`, requests with four headers", start: proxy(""), few: true},
		{name: "hot-few", title: "one hot token, requests with four headers", start: gated("", ""), few: true},
		{name: "rotation", title: count(s.rotating) + " tokens in rotation", start: gated("", ""), tokens: rotating},
		{name: "revoked", title: "one hot token, " + count(s.manyRevocations()) + " revocations", start: gated("", ""), revoked: s.manyRevocations()},
		{name: "first", title: "each token for the first time", start: gated("", ""), tokens: fresh, once: true},
		{name: "forged", title: "forged signature, each token for the first time", start: gated("", ""), tokens: forged, once: true, status: refused},
		{name: "none", title: "no token", start: gated("", ""), tokens: noToken, status: refused},
		{name: "malformed", title: "malformed token", start: gated("", ""), tokens: malformed, status: refused},
		{name: "unknown-key", title: "unknown key", start: gated("", ""), tokens: unknownKey, status: refused},
		{name: "wrong-algorithm", title: "wrong algorithm", start: gated("", ""), tokens: wrongAlgorithm, status: refused},
		{name: "expired", title: "expired token", start: gated("", ""), tokens: expired, status: refused},
		{name: "forward_auth", title: "one hot token, `forward_auth` to `/verify/` of another Caddy (both)", start: forwardAuth},
		{name: "auth_request", title: "one hot token, nginx `auth_request` to `/verify/` (both)", start: authRequest, program: "nginx"},
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
// command line names and their plain proxies.
func (b *bench) chosen() []row {
	list := b.rows()
	named := func(r row) bool { return slices.Contains(b.only, r.name) || slices.Contains(b.profiles, r.name) }
	if len(b.only)+len(b.profiles) > 0 && !slices.Contains(b.only, "requests") {
		list = slices.DeleteFunc(b.rows(), func(r row) bool {
			return !named(r) && !slices.ContainsFunc(list, func(other row) bool {
				return named(other) && r.name == other.baseline()
			})
		})
	}
	return slices.DeleteFunc(list, func(r row) bool {
		skipped := ""
		if r.program != "" {
			skipped = b.scope(func(b *bench) { servertest.Find(b, r.program, "/usr/sbin") })
		}
		if skipped != "" {
			b.omit(r.title, skipped)
		}
		return skipped != ""
	})
}

// baseline returns the name of the row that a row is compared with.
func (r row) baseline() string {
	if r.few {
		return "plain-few"
	}
	return "plain"
}

// proxy starts a proxy after directives that need no realm.
func proxy(directives string) starter {
	return func(b *bench, _ *realm) []*server {
		return []*server{b.startCaddy("", directives+"reverse_proxy "+b.upstream, probe{path: "/"})}
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
			b.check(os.WriteFile(file, content, 0o600))
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

// authRequest starts an nginx that asks another server about each request, with the
// configuration of docs/edges.md and connections that stay open.
func authRequest(b *bench, r *realm) []*server {
	other := gated("", "")(b, r)[0]
	block := strings.NewReplacer("{application}", b.upstream, "{edge}", other.address).Replace(`
		upstream application { server {application}; keepalive 64; keepalive_requests 1000000000; }
		upstream edge { server {edge}; keepalive 64; keepalive_requests 1000000000; }
		proxy_http_version 1.1;
		server {
			listen {address};
			location / {
				auth_request /_verify;
				auth_request_set $user $upstream_http_x_auth_user_id;
				auth_request_set $email $upstream_http_x_auth_email;
				proxy_set_header Connection "";
				proxy_set_header X-Auth-User-Id $user;
				proxy_set_header X-Auth-Email $email;
				proxy_set_header X-Auth-Email-Verified "";
				proxy_set_header X-Auth-Name "";
				proxy_set_header X-Auth-Method "";
				proxy_set_header X-Auth-Client "";
				proxy_set_header X-Auth-Session-Id "";
				proxy_set_header X-Auth-Assertion "";
				proxy_pass http://application;
			}
			location = /_verify {
				internal;
				proxy_method GET;
				proxy_pass_request_body off;
				proxy_set_header Connection "";
				proxy_set_header Content-Length "";
				proxy_pass http://edge/v1/auth/verify/;
			}
		}
	`)
	return []*server{b.startNginx(block, probe{"/", r.hot}), other}
}
