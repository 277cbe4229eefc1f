package caddymodule

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

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

// importFile runs the command and returns what it printed.
func importFile(address, file string, dry bool) (report, ids string, err error) {
	var out, names bytes.Buffer
	run := &socialauth.File{Send: adminClient{address: address}.importUsers, DryRun: dry, Report: &out, IDs: &names}
	err = run.Import(strings.NewReader(file))
	return out.String(), names.String(), err
}

const importedFile = `user,provider,uid,email,email_verified,first_name,last_name
7,google-oauth2,Ann@Gmail.com,ann@example.com,true,Ann,Lee
7,github,1,ann@example.com,true,Ann,Lee
8,discord,2,bo@example.com,false,Bo,
`

func TestImportCommand(t *testing.T) {
	_, address := importing(t, "")
	report, ids, err := importFile(address, importedFile, true)
	if err != nil || report != "3 rows: 2 users would be made; 3 identities would be stored, 0 were there already; 0 rows refused\n" || ids != "" {
		t.Errorf("dry run: %q, %q, %v", report, ids, err)
	}
	var show bytes.Buffer
	if err := runUser(&show, adminClient{address: address}, "show", "ann@example.com"); err == nil {
		t.Errorf("the dry run stored %s", show.String())
	}
	report, ids, err = importFile(address, importedFile, false)
	if err != nil || report != "3 rows: 2 users made; 3 identities stored, 0 were there already; 0 rows refused\n" {
		t.Errorf("%q, %v", report, err)
	}
	found := regexp.MustCompile(`^user,id\n7,([0-9a-f-]{36})\n8,[0-9a-f-]{36}\n$`).FindStringSubmatch(ids)
	if found == nil {
		t.Fatalf("ids are %q", ids)
	}
	if err := runUser(&show, adminClient{address: address}, "show", "ann@example.com"); err != nil ||
		!strings.Contains(show.String(), found[1]) || !strings.Contains(show.String(), `"Lee"`) {
		t.Errorf("shown is %s, %v", show.String(), err)
	}
	again, sameIDs, err := importFile(address, importedFile, false)
	if err != nil || again != "3 rows: 0 users made; 0 identities stored, 3 were there already; 0 rows refused\n" || sameIDs != ids {
		t.Errorf("again: %q, %q, %v", again, sameIDs, err)
	}
}

// A row that cannot be imported is named, with the reason, and takes no other row
// with it: not one of the same person, nor one that comes later.
func TestImportRefusals(t *testing.T) {
	s, address := importing(t, "")
	login(t, s, "eve@example.com")
	const file = `user,provider,uid,transfer_sub,email,email_verified,first_name
1,okta-openidconnect,ann,,,,
1,github,1,,,,
2,facebook,2,,,,
3,github,None,,,,
4,discord,ann,,,,
5,github,5,760417.e.1,,,
6,google-oauth2,a@b@c,,,,
7,github,7,,no address,,
8,github,8
9,github,1,,,,
9,discord,9,,,,
2,discord,10,,,,
10,discord,11,,ann@example.com,true,Ann
10,github,11,,bo@example.com,true,Ann
10,github,12,,,,
11,github,13,,ANN@example.com,1,
12,google-oauth2,Bo@gmail.com,,,,
13,google-oauth2,bo@GMAIL.com,,,,
14,discord,14,,,,` + "\u00fc" + `
`
	report, ids, err := importFile(address, file, false)
	if err == nil || err.Error() != "13 of 19 rows were left out" {
		t.Errorf("error is %v", err)
	}
	for _, want := range []string{
		"line 2: uid: cannot be carried over: it is preferred_username",
		"line 4: provider: is not configured under this name",
		"line 5: uid: is not what github has, which is a number",
		"line 6: uid: is not what discord has",
		"line 7: transfer_sub: only apple-id has one",
		"line 8: uid: is no e-mail address",
		"line 9: email: is no e-mail address",
		"line 10: has 3 fields, and the first line 7",
		"line 11: this login stands in line 3 already",
		"line 13: another row of this user, which has to be the one before, stands in line 4 already",
		"line 15: says something else of the person than line 14",
		"line 17: another user with this verified address stands in line 14 already",
		"line 19: this login stands in line 18 already",
		"19 rows: 5 users made; 6 identities stored, 0 were there already; 13 rows refused",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(report, ids)
	}
	if strings.Contains(report, "@") {
		t.Errorf("the report shows an address: %s", report)
	}
	if got := strings.Count(ids, "\n"); got != 6 {
		t.Errorf("ids are %q", ids)
	}
}

// Two files, or a file and somebody who is there, do not make one account of two.
func TestImportOfWhatIsTaken(t *testing.T) {
	_, address := importing(t, "link_by_email never")
	if report, _, err := importFile(address, "provider,uid,email,email_verified\ngithub,1,ann@example.com,true\n", false); err != nil {
		t.Fatal(report, err)
	}
	report, _, err := importFile(address, "user,provider,uid,email,email_verified\n1,github,2,ann@example.com,true\n2,github,1,,\n2,discord,1,,\n", false)
	if err == nil || !strings.Contains(report, "line 2: the address belongs to an account here, and link_by_email is never") {
		t.Errorf("%s, %v", report, err)
	}
	if !strings.Contains(report, "3 rows: 0 users made; 1 identities stored, 1 were there already; 1 rows refused") {
		t.Error(report)
	}
}

// More rows than fit into one request are sent in several, and those of one
// person together, however long they are.
func TestImportOfManyRows(t *testing.T) {
	_, address := importing(t, "")
	var file strings.Builder
	file.WriteString("user,provider,uid,first_name\n")
	long := strings.Repeat("\u0001", 100) // six bytes each in JSON
	rows := 0
	for user := range 1100 {
		for _, provider := range []string{"github", "discord", "google-oauth2"} {
			rows++
			fmt.Fprintf(&file, "%d,%s,%d,%s\n", user, provider, user+1, long)
		}
	}
	for uid := range socialauth.MaxImportedLogins + 1 {
		rows++
		fmt.Fprintf(&file, "many,github,%d,\n", 10000+uid)
	}
	report, ids, err := importFile(address, file.String(), false)
	want := fmt.Sprintf("%d rows: 1101 users made; %d identities stored, 0 were there already; 1 rows refused", rows, rows-1)
	if err == nil || !strings.Contains(report, want) || !strings.Contains(report, "more than 50 logins") || strings.Count(ids, "\n") != 1102 {
		t.Errorf("%s, %v, %d ids", report, err, strings.Count(ids, "\n"))
	}
}

func TestImportWithoutAServer(t *testing.T) {
	report, _, err := importFile("127.0.0.1:1", importedFile, false)
	if err == nil || !strings.Contains(err.Error(), "does it run") || !strings.Contains(err.Error(), "import the file again") {
		t.Errorf("%q, %v", report, err)
	}
	if _, _, err := importFile("127.0.0.1:1", "nonsense", false); err == nil || !strings.Contains(err.Error(), "line 1: there is no column") {
		t.Errorf("without a header: %v", err)
	}
	if _, _, err := importFile("127.0.0.1:1", "provider,uid\n", false); err != nil {
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
		"too large":      map[string]any{"users": []any{map[string]any{"first_name": strings.Repeat("x", maxAdminBody), "logins": one["logins"]}}},
	} {
		if response, text := call(t, http.MethodPost, "http://"+address+adminPrefix+"import", body); response.StatusCode != http.StatusBadRequest || !strings.Contains(text, "error") {
			t.Errorf("%s: %d %s", name, response.StatusCode, text)
		}
	}
	for _, body := range []string{"", " ", `{"users":[]} {"users":[]}`, `{"users":[]}}`, `{"users":[]},`} {
		response, err := http.Post("http://"+address+adminPrefix+"import", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", body, response.StatusCode)
		}
	}
	bad := map[string]any{"users": []any{
		map[string]any{"email": "nobody", "logins": one["logins"]},
		map[string]any{"logins": []any{map[string]any{"provider": "discord", "uid": "1"}}},
	}}
	response, text := call(t, http.MethodPost, "http://"+address+adminPrefix+"import", bad)
	if response.StatusCode != http.StatusOK || !strings.Contains(text, "The e-mail address is not valid") || !strings.Contains(text, `"stored":1`) {
		t.Errorf("one bad user: %d %s", response.StatusCode, text)
	}
	if response, _ := call(t, http.MethodGet, "http://"+address+adminPrefix+"import", nil); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
	if response, text := call(t, http.MethodPost, "http://"+address+adminPrefix+"import?realm=none", map[string]any{}); response.StatusCode != http.StatusNotFound {
		t.Errorf("another realm: %d %s", response.StatusCode, text)
	}
}

func TestImportCommandIsFound(t *testing.T) {
	root := &cobra.Command{Use: "edgeauth"}
	root.AddCommand(userCommand())
	for _, arguments := range [][]string{
		{"user", "import", "users.csv", "--dry-run", "--realm", "staff", "--address", "localhost:1"},
		{"user", "--realm", "staff", "import", "-"},
	} {
		cmd, rest, err := root.Find(arguments)
		if err != nil || cmd.Name() != "import" || cmd.ParseFlags(rest) != nil || cmd.Flag("realm").Value.String() != "staff" {
			t.Errorf("%v: %v, %v", arguments, cmd.Name(), err)
		}
	}
	cmd, rest, err := root.Find([]string{"user", "show", "ann@example.com", "--realm", "staff"})
	if err != nil || cmd.Name() != "user" || cmd.ParseFlags(rest) != nil || cmd.ValidateArgs(cmd.Flags().Args()) != nil {
		t.Errorf("show: %v, %v", cmd.Name(), err)
	}
}
