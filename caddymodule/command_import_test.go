package caddymodule

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// importing loads a realm with some providers.
func importing(t *testing.T, realm string) (setup, string) {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	s := setup{Port: freePort(t), Site: "token_auth\nrespond ok", Realm: "insecure_debug_links\nstorage memory\n" + realm + `
		provider google-oauth2 id secret
		provider github id secret
		provider discord id secret
		provider okta-openidconnect id secret {
			issuer https://example.okta.com
		}`}
	load(t, strings.Replace(s.caddyfile(), "admin off", "admin "+address, 1))
	return s, address
}

// importFile runs the command and returns its report and the IDs.
func importFile(t *testing.T, address, file string, args ...string) (report, ids string, err error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := operate(address, append([]string{"user", "import", name}, args...)...)
	for line := range strings.Lines(out) {
		if strings.Contains(line, " rows: ") || strings.Contains(line, "line ") {
			report += line
		} else {
			ids += line
		}
	}
	return report, ids, err
}

const importedFile = `user,provider,uid,email,email_verified,first_name,last_name
7,google-oauth2,Ann@Gmail.com,ann@example.com,true,Ann,Lee
7,github,1,ann@example.com,true,Ann,Lee
8,discord,2,bo@example.com,false,Bo,
`

func TestImportCommand(t *testing.T) {
	_, address := importing(t, "")
	report, ids, err := importFile(t, address, importedFile, "--dry-run")
	if err != nil || report != "3 rows: 2 users would be created; 3 identities would be stored, 0 present; 0 rows refused\n" || ids != "" {
		t.Errorf("dry run: %q, %q, %v", report, ids, err)
	}
	if show, err := operate(address, "user", "show", "ann@example.com"); err == nil {
		t.Errorf("the dry run stored %s", show)
	}
	report, ids, err = importFile(t, address, importedFile)
	if err != nil || report != "3 rows: 2 users created; 3 identities stored, 0 present; 0 rows refused\n" {
		t.Errorf("got %q, %v", report, err)
	}
	found := regexp.MustCompile(`^user,id\n7,([0-9a-f-]{36})\n8,[0-9a-f-]{36}\n$`).FindStringSubmatch(ids)
	if found == nil {
		t.Fatalf("ids are %q", ids)
	}
	if show, err := operate(address, "user", "show", "ann@example.com"); err != nil ||
		!strings.Contains(show, found[1]) || !strings.Contains(show, "Ann Lee") {
		t.Errorf("shown is %s, %v", show, err)
	}
	again, sameIDs, err := importFile(t, address, importedFile)
	if err != nil || again != "3 rows: 0 users created; 0 identities stored, 3 present; 0 rows refused\n" || sameIDs != ids {
		t.Errorf("again: %q, %q, %v", again, sameIDs, err)
	}
}

func TestImportWithoutAServer(t *testing.T) {
	report, _, err := importFile(t, "127.0.0.1:1", importedFile)
	if err == nil || !strings.Contains(err.Error(), "does it run") || !strings.Contains(err.Error(), "import the file again") {
		t.Errorf("got %q, %v", report, err)
	}
	if _, _, err := importFile(t, "127.0.0.1:1", "nonsense"); err == nil || !strings.Contains(err.Error(), "line 1: column") {
		t.Errorf("without a header: %v", err)
	}
	if _, _, err := importFile(t, "127.0.0.1:1", "provider,uid\n"); err != nil {
		t.Errorf("without rows: %v", err)
	}
}

// The body of an import is bounded and strict (CWE-20, CWE-770).
func TestImportRequests(t *testing.T) {
	_, address := importing(t, "")
	one := map[string]any{"logins": []any{map[string]any{"provider": "github", "uid": "1"}}}
	many := make([]any, socialauth.MaxRequestUsers+1)
	for i := range many {
		many[i] = one
	}
	for name, body := range map[string]any{
		"no object":      []any{one},
		"unknown member": map[string]any{"users": []any{map[string]any{"mail": "a@b.app", "logins": one["logins"]}}},
		"no logins":      map[string]any{"users": []any{map[string]any{"email": "a@b.app"}}},
		"too many":       map[string]any{"users": many},
		"too large":      map[string]any{"users": []any{map[string]any{"first_name": strings.Repeat("x", adminapi.MaxBody), "logins": one["logins"]}}},
	} {
		if response, text := call(t, http.MethodPost, "http://"+address+adminPath+"/import", body); response.StatusCode != http.StatusBadRequest || !strings.Contains(text, "error") {
			t.Errorf("%s: got %d %s", name, response.StatusCode, text)
		}
	}
	for _, body := range []string{"", " ", `{"users":[]} {"users":[]}`, `{"users":[]}}`, `{"users":[]},`} {
		response, err := http.Post("http://"+address+adminPath+"/import", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: got %d", body, response.StatusCode)
		}
	}
	bad := map[string]any{"users": []any{
		map[string]any{"email": "no-address", "logins": one["logins"]},
		map[string]any{"logins": []any{map[string]any{"provider": "discord", "uid": "1"}}},
	}}
	response, text := call(t, http.MethodPost, "http://"+address+adminPath+"/import", bad)
	if response.StatusCode != http.StatusOK || !strings.Contains(text, "The e-mail address is not valid") || !strings.Contains(text, `"stored":1`) {
		t.Errorf("one bad user: %d %s", response.StatusCode, text)
	}
	if response, _ := call(t, http.MethodGet, "http://"+address+adminPath+"/import", nil); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
	if response, text := call(t, http.MethodPost, "http://"+address+adminPath+"/import?realm=none", map[string]any{}); response.StatusCode != http.StatusNotFound {
		t.Errorf("another realm: %d %s", response.StatusCode, text)
	}
}
