package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
	"github.com/edgeauth/edgeauth/caddymodule/command"
)

// Logins and what operators do with commands is in the trail.
func TestAuditCommand(t *testing.T) {
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\nstorage memory\naudit {\nretention 30d\n}", Site: "token_auth\nrespond ok"}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	login(t, s, "ann@example.com")
	for _, args := range []string{"user disable ann@example.com", "keys rotate"} {
		if out, err := operate(address, strings.Fields(args)...); err != nil {
			t.Fatalf("%s = %q, %v, want no error", args, out, err)
		}
	}
	out, err := operate(address, "audit", "--json", "--all")
	if err != nil {
		t.Fatalf("audit --json = %q, %v, want no error", out, err)
	}
	var entries []audit.Entry
	for line := range strings.Lines(out) {
		var entry audit.Entry
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("audit --json printed %q, want entries", line)
		}
		entries = append(entries, entry)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, string(entry.Action))
	}
	if got, want := strings.Join(names, " "), "signing_keys_rotated user_disabled login signup link_requested"; got != want {
		t.Fatalf("audit --json = %s, want %s", got, want)
	}
	if e := entries[1]; e.Actor != audit.ActorOperator || e.ActorID == "" || e.Via != authcore.OperatorEndpoint || e.User == "" {
		t.Errorf("entry = %+v, want the user of the operating system as the operator", e)
	}
	if e := entries[2]; e.Actor != audit.ActorUser || e.ActorID != entries[1].User || e.IP != "127.0.0.0/24" || e.Email != "" {
		t.Errorf("entry = %+v, want a login of the user from 127.0.0.0/24", e)
	}
	for args, want := range map[string]int{
		"--user ann@example.com": 4, "--action login": 2, "--from 2020-01-01 --to 2020-01-02": 0, "--action login --json": 1,
	} {
		if out, err := operate(address, append([]string{"audit"}, strings.Fields(args)...)...); err != nil || strings.Count(out, "\n") != want {
			t.Errorf("audit %s = %q, %v, want %d lines", args, out, err, want)
		}
	}
	if out, err := operate(address, "audit", "--limit", "2"); err != nil || !strings.Contains(out, "More entries match") || !strings.Contains(out, "operator ") {
		t.Errorf("audit --limit 2 = %q, %v, want the newest two and a hint", out, err)
	}
	for args, want := range map[string]string{"--from soon": "is not a time", "--limit 0": "positive", "--limit 1 --all": "exclude", "--user absent@example.com": "Not found"} {
		if _, err := operate(address, append([]string{"audit"}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("audit %s = %v, want %q", args, err, want)
		}
	}
}

func TestAuditCommandWithoutTrail(t *testing.T) {
	_, address := withAdmin(t)
	if _, err := operate(address, "audit"); err == nil || !strings.Contains(err.Error(), "option audit") || command.ExitCode(err) != 4 {
		t.Errorf("audit without a trail = %v with code %d, want the option and 4", err, command.ExitCode(err))
	}
}

// A user of the page for operators does not appear as another one: the header of the
// admin endpoint has no effect there (CWE-290).
func TestHardeningForgedOperator(t *testing.T) {
	site := "http://127.0.0.1:" + freePort(t)
	load(t, fmt.Sprintf("{\n admin 127.0.0.1:%s\n edgeauth {\n insecure_debug_links\n storage memory\n audit\n client web %s\n email_link %[3]s/auth/link/{token}\n role admin ann@example.com\n }\n}\n%[3]s {\n login_page\n admin_page\n respond application\n}\n", freePort(t), testKey, site))
	token, id := adminPageLogin(t, site, "ann@example.com")
	_, victim := adminPageLogin(t, site, "bob@example.com")
	forged := []string{"Authorization", "Token " + token, adminapi.OperatorHeader, victim}
	if answer, body := call(t, http.MethodPost, site+"/admin/api/users/"+victim+"/disable", nil, forged...); answer.StatusCode != http.StatusOK {
		t.Fatalf("POST /admin/api/users/{id}/disable = %d %s, want 200", answer.StatusCode, body)
	}
	answer, body := call(t, http.MethodPost, site+"/admin/api/audit/search", map[string]any{"action": "user_disabled"}, forged...)
	var found adminapi.AuditEntries
	if err := json.Unmarshal([]byte(body), &found); err != nil || answer.StatusCode != http.StatusOK || len(found.Entries) != 1 {
		t.Fatalf("POST /admin/api/audit/search = %d %s, want one entry", answer.StatusCode, body)
	}
	if e := found.Entries[0]; e.ActorID != id || e.Actor != audit.ActorOperator || e.Via != authcore.OperatorPage || e.User != victim {
		t.Errorf("entry = %+v, want the signed-in user %s as the operator", e, id)
	}
}
