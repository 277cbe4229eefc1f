package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/examples"
	"github.com/edgeauth/edgeauth/e2e/internal/openid"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestOperatorsWalk follows users of a closed site over two nodes of Caddy and the gate on
// Node.js: an invitation, roles by operator, by Caddyfile and by a claim of a provider, the
// refusal that names the role, a role that is removed, an API key, and the audit trail of all
// of it. Traefik runs the same module as Node.js: the tests of wasm/traefik/e2e send it the
// table of cases in testdata/gate, which includes API keys and roles.
func TestOperatorsWalk(t *testing.T) {
	w := newOperatorsWalk(t)
	ann, bea := w.invite(t)
	dan := w.claimRoles(t)
	cay := w.refuse(t)
	w.useKey(t, bea)
	w.removeRole(t, bea)

	trail, err := w.a.Output(t, "edgeauth", "audit", "--all", "--json", "--address", w.a.Admin)
	if err != nil {
		t.Fatalf("edgeauth audit failed: %v", err)
	}
	account := "operator " + os.Getenv("USER")
	if current, err := user.Current(); err == nil {
		account = "operator " + current.Username
	}
	own := func(action string, l login) trailEntry { return trailEntry{action, "user " + l.id, l.id} }
	wantTrail(t, trail, map[trailEntry]int{
		{"user_invited", account, ""}: 1, {"roles_granted", account, bea.id}: 1,
		{"user_created", account, ann.id}: 1, {"user_created", account, cay.id}: 1, {"user_created", account, dan.id}: 1,
		own("key_created", bea): 1, own("key_revoked", bea): 1, own("signup", bea): 1,
		own("login", ann): 1, own("login", cay): 1, own("login", dan): 2,
		{"roles_changed", "system", dan.id}: 2, {"login_failed", "client", ""}: 1,
	})
}

// operatorsWalk is a closed site on two nodes, with a gate on Node.js that reads keys and
// revocations from the second one.
type operatorsWalk struct {
	a, b  *site
	nodes []*site
	edge  string
	mails *smtpd.Server
	idp   *openid.Provider
}

func newOperatorsWalk(t *testing.T) *operatorsWalk {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "Node.js is not installed: %v", err)
	}
	engine := startPostgres(t)
	authority := ca.New(t)
	w := &operatorsWalk{
		mails: smtpd.Start(t, mailServer(t, authority)),
		idp:   openid.Start(t, openid.Options{ClientID: oidcClientID, ClientSecret: oidcClientSecret, RedirectURIs: []string{redirectURI}}),
	}
	provider := providerLines("idp", w.idp.Issuer)
	provider = slices.Insert(provider, len(provider)-1, "\troles realm_access.roles idp_")
	config := caddyfile{
		Realm: slices.Concat(smtpLines(), noLimits, engine.storage, provider,
			[]string{"signup closed", "role admin ann@example.com", "api_keys users", "audit"}),
		Gate: []string{"require role admin editor idp_editor", "keys on", "headers all", "login_page https://login.example.com/auth", "origin https://app.example.com"},
	}
	for range 2 {
		node := prepareSite(t, config, append(smtpEnv(authority, w.mails.Addr), "STORE="+engine.url(engine.address), "IDP_SECRET="+oidcClientSecret)...)
		node.Start(t)
		w.nodes = append(w.nodes, node)
	}
	w.a, w.b = w.nodes[0], w.nodes[1]
	w.edge = examples.Edge(t, w.b.URL+"/v1/auth", "http://"+w.b.config.Upstream,
		`{"issuer": "edgeauth", "api_keys": "on", "headers": "all", "require": [{"field": "role", "values": ["admin", "editor", "idp_editor"]}]}`)
	return w
}

// command runs a command of the operator at the first node.
func (w *operatorsWalk) command(t *testing.T, arguments ...string) {
	t.Helper()
	if err := w.a.Command(t, append(append([]string{"edgeauth"}, arguments...), "--address", w.a.Admin)...); err != nil {
		t.Fatalf("edgeauth %v failed: %v", arguments, err)
	}
}

// askFor requests a mail at the first node.
func (w *operatorsWalk) askFor(t *testing.T, email string) {
	t.Helper()
	w.a.post(t, "/by-link/link/", map[string]any{"email": email}).must(t, http.StatusOK)
}

// enter logs in at the second node with the one mail to an address.
func (w *operatorsWalk) enter(t *testing.T, email string) login {
	t.Helper()
	wait.Until(t, time.Minute, "the mail to "+email, func() bool { return len(w.mails.Mails(email)) == 1 })
	link := w.mails.Mails(email)[0].Parts(t).Link(t, linkPrefix)
	return w.b.loggedIn(t, w.b.spendLink(t, strings.TrimPrefix(link, linkPrefix)))
}

// invite lets a user with an invitation and one by the Caddyfile in, but no stranger.
func (w *operatorsWalk) invite(t *testing.T) (ann, bea login) {
	t.Helper()
	w.askFor(t, "stranger@example.com")
	w.command(t, "user", "invite", "bea@example.com", "--role", "editor")
	bea = w.enter(t, "bea@example.com")
	if !bea.isNew {
		t.Error("the invited user existed before, want a new account")
	}
	w.command(t, "user", "create", "ann@example.com")
	w.askFor(t, "ann@example.com")
	ann = w.enter(t, "ann@example.com")
	w.proceeds(t, "Token "+bea.token, "editor")
	w.proceeds(t, "Token "+ann.token, "admin")
	if got := len(w.mails.Mails("stranger@example.com")); got != 0 {
		t.Errorf("%d mails went to the stranger, want none", got)
	}
	return ann, bea
}

// proceeds fails the test unless the application receives the roles of a request, from
// both nodes and the gate on Node.js.
func (w *operatorsWalk) proceeds(t *testing.T, authorization, roles string) {
	t.Helper()
	for _, address := range []string{w.a.URL, w.b.URL, w.edge} {
		status, body := ask(t, address+"/whoami", "Authorization", authorization)
		var seen struct {
			Headers http.Header `json:"headers"`
		}
		if err := json.Unmarshal([]byte(body), &seen); err != nil || status != http.StatusOK {
			t.Errorf("GET %s/whoami = %d %s, want 200", address, status, body)
		} else if got := seen.Headers.Get("X-Auth-Roles"); got != roles {
			t.Errorf("GET %s/whoami sends the roles %q to the application, want %q", address, got, roles)
		}
	}
}

// claimRoles logs in through the provider. The roles in its claim are in force with the
// prefix, and end with the next login without them.
func (w *operatorsWalk) claimRoles(t *testing.T) login {
	t.Helper()
	person := openid.Person{Subject: "s-7", Email: "eve@example.com", EmailVerified: true, Roles: []string{"editor"}}
	w.idp.SignIn(person)
	w.b.redeem(t, w.a.authorize(t, w.idp), nil).refused(t, http.StatusForbidden, "signup_closed")
	w.command(t, "user", "create", "dan@example.com")
	person = openid.Person{Subject: "s-8", Email: "dan@example.com", EmailVerified: true, Roles: []string{"admin", "editor", "Task.Write"}}
	w.idp.SignIn(person)
	dan := w.b.loggedIn(t, w.b.redeem(t, w.a.authorize(t, w.idp), nil))
	w.proceeds(t, "Token "+dan.token, "idp_admin,idp_editor")
	person.Roles = []string{"admin"}
	w.idp.SignIn(person)
	again := w.b.loggedIn(t, w.b.redeem(t, w.a.authorize(t, w.idp), nil))
	if again.id != dan.id {
		t.Errorf("the second login is of the user %s, want %s", again.id, dan.id)
	}
	w.a.get(t, "/whoami", again.token).refused(t, http.StatusForbidden, "role_required")
	return dan
}

// refuse logs in without a role. The refusal names what is missing, as JSON and as a page.
func (w *operatorsWalk) refuse(t *testing.T) login {
	t.Helper()
	w.command(t, "user", "create", "cay@example.com")
	w.askFor(t, "cay@example.com")
	cay := w.enter(t, "cay@example.com")
	w.b.get(t, "/whoami", cay.token).refused(t, http.StatusForbidden, "role_required")
	page := w.b.do(t, http.MethodGet, "/whoami", "", "", "Cookie", "__Host-edgeauth="+cay.token,
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Accept", "text/html")
	if page.status != http.StatusForbidden || !strings.Contains(page.body, "<html") || !strings.Contains(page.body, "editor") {
		t.Errorf("GET /whoami of a browser = %d %s, want a page that names the roles", page.status, page.body)
	}
	return cay
}

// useKey uses a key from a script at both nodes and at the gate on Node.js, and revokes it at
// the first node.
func (w *operatorsWalk) useKey(t *testing.T, owner login) {
	t.Helper()
	made := w.b.post(t, "/keys/", map[string]any{"name": "ci", "expires_in": 3600, "roles": []string{"editor"}}, "Authorization", "Token "+owner.token).must(t, http.StatusCreated)
	key, id := made.text(t, "secret"), made.text(t, "id")
	w.b.secrets.Add("API key", key)
	w.proceeds(t, "Bearer "+key, "editor")
	refusedBy := func(address string) func() bool {
		return func() bool {
			status, _ := ask(t, address+"/whoami", "Authorization", "Bearer "+key)
			return status == http.StatusUnauthorized
		}
	}
	w.a.do(t, http.MethodDelete, "/v1/auth/keys/"+id+"/", "", "", "Authorization", "Token "+owner.token).must(t, http.StatusNoContent)
	revoked := time.Now()
	within(t, "the end of the key at the second node", revoked, logoutBound, refusedBy(w.b.URL))
	within(t, "the end of the key at the gate on Node.js", revoked, logoutBound+examples.EdgeInterval, refusedBy(w.edge))
	if status, body := ask(t, w.edge+"/whoami", "Authorization", "Token "+owner.token); status != http.StatusOK {
		t.Errorf("GET /whoami of the owner = %d %s, want 200", status, body)
	}
}

// removeRole removes a role at the first node. It ends everywhere; the session remains.
func (w *operatorsWalk) removeRole(t *testing.T, user login) {
	t.Helper()
	forbiddenBy := func(address string) func() bool {
		return func() bool {
			status, _ := ask(t, address+"/whoami", "Authorization", "Token "+user.token)
			return status == http.StatusForbidden
		}
	}
	w.command(t, "user", "role", "bea@example.com")
	removed := time.Now()
	within(t, "the end of the role at the second node", removed, logoutBound, forbiddenBy(w.b.URL))
	within(t, "the end of the role at the gate on Node.js", removed, logoutBound+examples.EdgeInterval, forbiddenBy(w.edge))
	w.b.get(t, "/v1/auth/user/", user.token).must(t, http.StatusOK)
}

// within waits for what has to happen within a bound.
func within(t *testing.T, what string, since time.Time, bound time.Duration, holds func() bool) {
	t.Helper()
	wait.Until(t, time.Minute, what, holds)
	if took := time.Since(since); took > bound+logoutSlack {
		t.Errorf("%s took %s, want %s", what, took, bound)
	}
}

// trailEntry is an entry of the audit trail: who did what to which user.
type trailEntry struct{ action, actor, user string }

// wantTrail fails the test unless the audit trail has these entries.
func wantTrail(t *testing.T, trail string, want map[trailEntry]int) {
	t.Helper()
	got := map[trailEntry]int{}
	for line := range strings.Lines(trail) {
		var entry struct {
			Action  string `json:"action"`
			Actor   string `json:"actor"`
			ActorID string `json:"actor_id"`
			User    string `json:"user"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("audit printed %q: %v", line, err)
		}
		got[trailEntry{entry.Action, strings.TrimSpace(entry.Actor + " " + entry.ActorID), entry.User}]++
	}
	for entry, n := range want {
		if got[entry] != n {
			t.Errorf("the audit trail has %+v %d times, want %d; it has %+v", entry, got[entry], n, got)
		}
	}
}
