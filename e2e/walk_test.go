package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
	"github.com/edgeauth/edgeauth/e2e/internal/smtpd"
	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// TestOperatorsWalk follows users of a closed site over two nodes: an invitation, roles by
// operator and by Caddyfile, the refusal that names the role, a role that is removed, an
// API key, and the audit trail of all of it.
func TestOperatorsWalk(t *testing.T) {
	engine := startPostgres(t)
	authority := ca.New(t)
	mails := smtpd.Start(t, mailServer(t, authority))
	config := caddyfile{
		Realm: slices.Concat(smtpLines(), noLimits, engine.storage, []string{"signup closed", "role admin ann@example.com", "api_keys users", "audit"}),
		Gate:  []string{"require role admin editor", "keys on", "headers all", "login_page https://login.example.com/auth", "origin https://app.example.com"},
	}
	var nodes [2]*site
	for i := range nodes {
		nodes[i] = prepareSite(t, config, append(smtpEnv(authority, mails.Addr), "STORE="+engine.url(engine.address))...)
		nodes[i].Start(t)
	}
	a, b := nodes[0], nodes[1]
	command := func(arguments ...string) {
		t.Helper()
		if err := a.Command(t, append(append([]string{"edgeauth"}, arguments...), "--address", a.Admin)...); err != nil {
			t.Fatalf("edgeauth %v failed: %v", arguments, err)
		}
	}
	// enter logs in at the second node with the newest mail.
	enter := func(email string, mailed int) login {
		t.Helper()
		wait.Until(t, time.Minute, "the mail to "+email, func() bool { return len(mails.Mails(email)) == mailed })
		link := mails.Mails(email)[mailed-1].Parts(t).Link(t, linkPrefix)
		return b.loggedIn(t, b.spendLink(t, strings.TrimPrefix(link, linkPrefix)))
	}
	ask := func(email string) {
		t.Helper()
		a.post(t, "/by-link/link/", map[string]any{"email": email}).must(t, http.StatusOK)
	}

	// A closed site: a stranger gets no mail, the invited user a link that signs up.
	ask("stranger@example.com")
	command("user", "invite", "bea@example.com", "--role", "editor")
	bea := enter("bea@example.com", 1)
	if !bea.isNew {
		t.Error("the invited user existed before, want a new account")
	}
	command("user", "create", "ann@example.com")
	ask("ann@example.com")
	ann := enter("ann@example.com", 1)
	for _, node := range nodes {
		for token, roles := range map[string]string{bea.token: "editor", ann.token: "admin"} {
			if got := node.get(t, "/whoami", token).must(t, http.StatusOK); !strings.Contains(got.body, `"X-Auth-Roles":["`+roles+`"]`) {
				t.Errorf("GET /whoami = %s, want the role %s", got.body, roles)
			}
		}
	}

	// Without a role the refusal names what is missing, as JSON and as a page.
	command("user", "create", "cay@example.com")
	ask("cay@example.com")
	cay := enter("cay@example.com", 1)
	b.get(t, "/whoami", cay.token).refused(t, http.StatusForbidden, "role_required")
	page := b.do(t, http.MethodGet, "/whoami", "", "", "Cookie", "__Host-edgeauth="+cay.token,
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Accept", "text/html")
	if page.status != http.StatusForbidden || !strings.Contains(page.body, "<html") || !strings.Contains(page.body, "editor") {
		t.Errorf("GET /whoami of a browser = %d %s, want a page that names the roles", page.status, page.body)
	}

	// A script uses a key at both nodes.
	made := b.post(t, "/keys/", map[string]any{"name": "ci", "expires_in": 3600, "roles": []string{"editor"}}, "Authorization", "Token "+bea.token).must(t, http.StatusCreated)
	key, id := made.text(t, "secret"), made.text(t, "id")
	b.secrets.Add("API key", key)
	withKey := func(node *site) int {
		return node.do(t, http.MethodGet, "/whoami", "", "", "Authorization", "Bearer "+key).status
	}
	for _, node := range nodes {
		if got := withKey(node); got != http.StatusOK {
			t.Errorf("GET /whoami with a key = %d, want 200", got)
		}
	}
	a.do(t, http.MethodDelete, "/v1/auth/keys/"+id+"/", "", "", "Authorization", "Token "+bea.token).must(t, http.StatusNoContent)
	within(t, "the end of the key at the second node", func() bool { return withKey(b) == http.StatusUnauthorized })

	// A role that is removed at one node is gone at the other; the session remains.
	command("user", "role", "bea@example.com")
	within(t, "the end of the role at the second node", func() bool { return b.get(t, "/whoami", bea.token).status == http.StatusForbidden })
	b.get(t, "/v1/auth/user/", bea.token).must(t, http.StatusOK)
	if got := len(mails.Mails("stranger@example.com")); got != 0 {
		t.Errorf("%d mails went to the stranger, want none", got)
	}

	trail, err := a.Output(t, "edgeauth", "audit", "--all", "--json", "--address", a.Admin)
	if err != nil {
		t.Fatalf("edgeauth audit failed: %v", err)
	}
	operator := os.Getenv("USER")
	if current, err := user.Current(); err == nil {
		operator = current.Username
	}
	wantTrail(t, trail, map[string]int{
		"user_invited by the operator " + operator: 1, "user_created by the operator " + operator: 2, "roles_granted by the operator " + operator: 1,
		"key_created by the user " + bea.id: 1, "key_revoked by the user " + bea.id: 1, "login by the user " + cay.id: 1,
	})
}

// within waits for what has to happen within the bound of a revocation.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	wait.Until(t, time.Minute, what, holds)
	if took := time.Since(began); took > logoutBound+logoutSlack {
		t.Errorf("%s took %s, want %s", what, took, logoutBound)
	}
}

// wantTrail fails the test unless the audit trail has these entries, by action and actor.
func wantTrail(t *testing.T, trail string, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for line := range strings.Lines(trail) {
		var entry struct {
			Action  string `json:"action"`
			Actor   string `json:"actor"`
			ActorID string `json:"actor_id"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("audit printed %q: %v", line, err)
		}
		got[entry.Action+" by the "+entry.Actor+" "+entry.ActorID]++
	}
	for entry, n := range want {
		if got[entry] != n {
			t.Errorf("the audit trail has %q %d times, want %d; it has %v", entry, got[entry], n, got)
		}
	}
}
