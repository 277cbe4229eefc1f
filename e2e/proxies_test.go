package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/edge"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// proxyRecipe is one recipe of docs/examples/forward-auth.
type proxyRecipe struct {
	name string
	// files of the recipe; the first one is the configuration.
	files []string
	// program, the folders where Debian has it, and its arguments after the files
	// were written to the working directory.
	program string
	folders []string
	args    []string
	// listen is the text that sets the port, for replacement.
	listen, listenAt string
}

func recipes() []proxyRecipe {
	return []proxyRecipe{
		{
			name: "nginx", files: []string{"nginx.conf"}, program: "nginx", folders: []string{"/usr/sbin"},
			args: []string{"-e", "stderr", "-p", ".", "-g", "daemon off; pid nginx.pid;", "-c", "nginx.conf"}, listen: "listen 80;", listenAt: "listen %s;",
		},
		{
			name: "haproxy", files: []string{"haproxy.cfg", "edgeauth.lua"}, program: "haproxy", folders: []string{"/usr/sbin"},
			args: []string{"-db", "-f", "haproxy.cfg"}, listen: "bind :80", listenAt: "bind %s",
		},
		{
			name: "caddy", files: []string{"Caddyfile"}, program: binary,
			args: []string{"run", "--config", "Caddyfile", "--adapter", "caddyfile"}, listen: "http://app.example.com {", listenAt: "http://%s {",
		},
	}
}

// tlsEdge is the edge behind TLS, with answers that a browser session causes.
type tlsEdge struct {
	*httptest.Server
	withoutSNI, connections atomic.Int64
}

// startTLSEdge forwards to the edge. Requests with the cookie answer=<status> get an
// answer of this status instead.
func startTLSEdge(t *testing.T, authority *ca.Authority, target string, identity []string) *tlsEdge {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	e := &tlsEdge{}
	forward := httputil.NewSingleHostReverseProxy(address)
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("answer")
		if err != nil {
			forward.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Set-Cookie", "session=renewed; Path=/; HttpOnly")
		switch cookie.Value {
		case "200":
			for _, name := range identity {
				w.Header().Set(name, "")
			}
			w.Header().Set("X-Auth-User-Id", "user-of-the-cookie")
		case "elsewhere": // as Caddy answers for a host that it does not serve
			w.Header().Del("Set-Cookie")
		case "303":
			w.Header().Add("Set-Cookie", "return=/page; Path=/")
			w.Header().Set("Location", "https://api.example.com/v1/auth/page/?from="+url.QueryEscape(r.Header.Get("X-Forwarded-Uri")))
			w.WriteHeader(http.StatusSeeOther)
		case "503":
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"detail":"down"}`)) // a lost connection shows in the test
		}
	}))
	e.TLS = authority.ServerConfig(t)
	e.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName != "localhost" {
			e.withoutSNI.Add(1)
			return nil, errors.New("unrecognized name")
		}
		return nil, nil //nolint:nilnil // no other configuration
	}
	e.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			e.connections.Add(1)
		}
	}
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

// identityHeaders returns the names of all headers that edgeauth answers about a user. A
// recipe has to replace each of them.
func identityHeaders(t *testing.T, s *site, token string) []string {
	t.Helper()
	var names []string
	for name := range s.get(t, "/v1/auth/verify/", token).must(t, http.StatusOK).header {
		if strings.HasPrefix(name, "X-Auth-") {
			names = append(names, name)
		}
	}
	if !slices.Contains(names, "X-Auth-Roles") {
		t.Fatalf("identity headers of /verify/ = %v, want X-Auth-Roles among them", names)
	}
	return names
}

// start runs the program with the recipe, in which only names of hosts, ports and the
// file of authorities are replaced.
func (p proxyRecipe) start(t *testing.T, authority *ca.Authority, edgeURL, application string) *site {
	t.Helper()
	program := p.program
	if !filepath.IsAbs(program) {
		program = servertest.Find(t, p.program, p.folders...)
	}
	dir := t.TempDir()
	listen := fmt.Sprintf("127.0.0.1:%d", edge.FreePort(t))
	_, port, err := net.SplitHostPort(strings.TrimPrefix(edgeURL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	internal := fmt.Sprintf("127.0.0.1:%d", edge.FreePort(t))
	for _, name := range p.files {
		text, err := os.ReadFile(filepath.Join("..", "docs", "examples", "forward-auth", name))
		if err != nil {
			t.Fatal(err)
		}
		replaced := strings.NewReplacer(
			p.listen, fmt.Sprintf(p.listenAt, listen),
			"https://api.example.com {", "https://localhost:"+port+" {",
			"api.example.com:443", "localhost:"+port,
			"api.example.com", "localhost",
			"app:8080", application,
			"127.0.0.1:9091", internal,
			"/etc/ssl/certs/ca-certificates.crt", authority.File,
		).Replace(string(text))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(replaced), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	servertest.Start(t, servertest.Command{
		Path: program, Args: p.args, Dir: dir,
		Ready: func(ctx context.Context) bool {
			connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", listen)
			if err == nil {
				connection.Close()
			}
			return err == nil
		},
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{Edge: &edge.Edge{URL: "http://" + listen}, client: &http.Client{
		Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// TestForwardAuthRecipes runs each recipe with the real program.
func TestForwardAuthRecipes(t *testing.T) {
	authority := ca.New(t)
	t.Setenv("SSL_CERT_FILE", authority.File) // for Caddy
	t.Setenv("HOME", t.TempDir())
	t.Setenv("CADDY_ADMIN", fmt.Sprintf("127.0.0.1:%d", edge.FreePort(t)))
	s := newSite(t, caddyfile{Realm: slices.Concat(debugLinks, noLimits)})
	user := s.logIn(t, "ann@example.com")
	identity := identityHeaders(t, s, user.token)
	e := startTLSEdge(t, authority, s.URL, identity)
	application := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(application.Close)
	for _, recipe := range recipes() {
		t.Run(recipe.name, func(t *testing.T) {
			p := recipe.start(t, authority, e.URL, application.Listener.Addr().String())
			checkRefusals(t, p)
			checkForwarded(t, p, user, identity)
			checkBrowserAnswers(t, p, recipe)
			got := p.do(t, http.MethodOptions, "/x", "", "", "Origin", origin, "Access-Control-Request-Method", "PUT")
			if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("preflight = %d %v %s, want 204 for the origin", got.status, got.header, got.body)
			}
			before := e.connections.Load()
			const requests = 100
			for range requests {
				p.get(t, "/x", user.token).must(t, http.StatusOK)
			}
			if n := e.connections.Load() - before; n > requests/10 {
				t.Errorf("%d requests open %d connections to edgeauth, want them to be kept", requests, n)
			}
			if n := e.withoutSNI.Swap(0); n != 0 {
				t.Errorf("%d connections without SNI, want 0", n)
			}
		})
		t.Run(recipe.name+" and an impostor", func(t *testing.T) {
			impostor := startTLSEdge(t, ca.New(t), s.URL, identity)
			p := recipe.start(t, authority, impostor.URL, application.Listener.Addr().String())
			if got := p.get(t, "/x", user.token); got.status < http.StatusInternalServerError {
				t.Errorf("edge with an untrusted certificate: %d %s, want 5xx", got.status, got.body)
			}
		})
	}
}

func checkRefusals(t *testing.T, p *site) {
	t.Helper()
	for header, want := range map[string]string{
		"": `{"detail":"Authentication credentials were not provided."}`, "Token x": `{"detail":"Invalid token."}`,
	} {
		var headers []string
		if header != "" {
			headers = []string{"Authorization", header}
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := p.do(t, method, "/x", "text/plain", strings.Repeat("a", 1000), headers...)
			if got.status != http.StatusUnauthorized || got.body != want || got.header.Get("WWW-Authenticate") != "Token" || got.header.Get("Content-Type") != jsonType {
				t.Errorf("%s with %q = %d %v %s, want the 401 of edgeauth", method, header, got.status, got.header, got.body)
			}
		}
	}
}

func checkForwarded(t *testing.T, p *site, user login, identity []string) {
	t.Helper()
	sent := []string{"Authorization", "Token " + user.token, "Cookie", "a=b"}
	for _, name := range identity {
		sent = append(sent, strings.ToLower(name), "forged", strings.ReplaceAll(name, "-", "_"), "forged", strings.Replace(name, "-", "_", 1), "forged")
	}
	got := p.do(t, http.MethodPost, "/a/b?c=d", "text/plain", strings.Repeat("a", 100_000), sent...)
	headers, _ := got.must(t, http.StatusOK).object(t)["headers"].(map[string]any)
	if id := fmt.Sprint(headers["X-Auth-User-Id"]); id != "["+user.id+"]" {
		t.Errorf("X-Auth-User-Id = %s, want [%s]", id, user.id)
	}
	if email := fmt.Sprint(headers["X-Auth-Email"]); email != "[ann@example.com]" {
		t.Errorf("X-Auth-Email = %s, want [ann@example.com]", email)
	}
	for name, value := range headers {
		if strings.Contains(fmt.Sprint(value), "forged") {
			t.Errorf("%s = %s, want no value of the client", name, value)
		}
	}
	for _, name := range []string{"X-Auth-Name", "X-Auth-Roles", "X-Auth-Assertion"} {
		if value := fmt.Sprint(headers[name]); value != "[]" && value != "<nil>" {
			t.Errorf("%s = %s, want no value", name, value)
		}
	}
	for _, name := range []string{"Authorization", "Cookie"} {
		if headers[name] != nil {
			t.Errorf("%s = %v, want no header", name, headers[name])
		}
	}
}

// checkBrowserAnswers passes on what edgeauth answers to browsers.
func checkBrowserAnswers(t *testing.T, p *site, recipe proxyRecipe) {
	t.Helper()
	got := p.do(t, http.MethodGet, "/page?x=1", "", "", "Cookie", "answer=303")
	if want := "https://api.example.com/v1/auth/page/?from=%2Fpage%3Fx%3D1"; got.status != http.StatusSeeOther || got.header.Get("Location") != want || len(got.header["Set-Cookie"]) != 2 {
		t.Errorf("redirect = %d %v, want 303 to %s with two cookies", got.status, got.header, want)
	}
	got = p.do(t, http.MethodGet, "/page", "", "", "Cookie", "answer=503")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" || got.body != `{"detail":"down"}` {
		t.Errorf("unavailable = %d %v %s, want the 503 of edgeauth", got.status, got.header, got.body)
	}
	got = p.do(t, http.MethodGet, "/page", "", "", "Cookie", "answer=elsewhere", "X-Auth-User-Id", "forged")
	if got.status < http.StatusInternalServerError {
		t.Errorf("answer 200 without a user = %d %s, want 5xx and no call of the application", got.status, got.body)
	}
	got = p.do(t, http.MethodGet, "/page", "", "", "Cookie", "answer=200")
	headers, _ := got.must(t, http.StatusOK).object(t)["headers"].(map[string]any)
	if id := fmt.Sprint(headers["X-Auth-User-Id"]); id != "[user-of-the-cookie]" {
		t.Errorf("X-Auth-User-Id = %s, want that of the cookie", id)
	}
	renewed := got.header.Get("Set-Cookie") == "session=renewed; Path=/; HttpOnly"
	if want := recipe.name != "caddy"; renewed != want { // see docs/forward-authentication.md
		t.Errorf("cookie of an accepted request passed on = %t, want %t", renewed, want)
	}
}
