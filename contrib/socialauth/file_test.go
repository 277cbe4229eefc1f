package socialauth_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

const header = "user,provider,uid,email,email_verified,first_name\n"

// importFile imports a file into a realm and returns what was reported.
func importFile(f *fixture, file string, dry bool) (report, ids string, err error) {
	var out, names bytes.Buffer
	run := &socialauth.File{
		Send:   func(r socialauth.Request) (socialauth.Response, error) { return f.Serve(f.t.Context(), r) },
		DryRun: dry, Report: &out, IDs: &names,
	}
	err = run.Import(strings.NewReader(file))
	return out.String(), names.String(), err
}

func TestFile(t *testing.T) {
	f := newFixture(t, nil)
	const file = header + "7,github,ann@gmail.com,ann@example.com,true,Ann\n7,github,1,,,\n8,github,2,bo@example.com,false,Bo\n"
	report, ids, err := importFile(f, file, true)
	if want := "3 rows: 2 users would be created; 3 identities would be stored, 0 present; 0 rows refused\n"; err != nil || report != want || ids != "" {
		t.Errorf("dry Import() reported %q and ids %q, %v, want %q", report, ids, err, want)
	}
	report, ids, err = importFile(f, file, false)
	if want := "3 rows: 2 users created; 3 identities stored, 0 present; 0 rows refused\n"; err != nil || report != want {
		t.Errorf("Import() reported %q, %v, want %q", report, err, want)
	}
	found := regexp.MustCompile(`^user,id\n7,([0-9a-f-]{36})\n8,[0-9a-f-]{36}\n$`).FindStringSubmatch(ids)
	if found == nil {
		t.Fatalf("Import() wrote ids %q, want those of 7 and 8", ids)
	}
	if user, err := f.Accounts.Find(t.Context(), "ann@example.com"); err != nil || user.ID != found[1] || user.FirstName != "Ann" {
		t.Errorf("Find() = %+v, %v, want %s", user, err, found[1])
	}
	report, again, err := importFile(f, file, false)
	if want := "3 rows: 0 users created; 0 identities stored, 3 present; 0 rows refused\n"; err != nil || report != want || again != ids {
		t.Errorf("repeated Import() reported %q and ids %q, %v, want %q and the same ids", report, again, err, want)
	}
}

// Without a column user, each row is a user.
func TestFileWithoutUsers(t *testing.T) {
	f := newFixture(t, nil)
	report, ids, err := importFile(f, "provider,uid\ngithub,1\ngithub,2\n", false)
	if want := "2 rows: 2 users created; 2 identities stored, 0 present; 0 rows refused\n"; err != nil || report != want || ids != "" {
		t.Errorf("Import() reported %q and ids %q, %v, want %q and none", report, ids, err, want)
	}
}

// A row that cannot be imported is reported with the reason, and affects no other
// row of its user or of later ones. The report contains no address.
func TestFileRefusals(t *testing.T) {
	f := newFixture(t, nil)
	const file = header + `1,github,refused,,,
1,github,1,,,
2,none,2,,,
3,github,3,no address,,
4,github,4
5,github,1,,,
1,github,5,,,
6,github,6,ann@example.com,true,Ann
6,github,7,bo@example.com,true,Ann
6,github,8,,,
7,github,9,ANN@example.com,1,
8,github,Bo@gmail.com,,,
9,github,bo@GMAIL.com,,,
10,github,10,,,` + "\u00fc\n"
	report, ids, err := importFile(f, file, false)
	if want := "9 of 14 rows were left out"; err == nil || err.Error() != want {
		t.Errorf("Import() = %v, want %s", err, want)
	}
	for _, want := range []string{
		"line 2: uid: is refused by the provider",
		"line 4: provider: is not configured under this name",
		"line 5: email: is not a valid e-mail address",
		"line 6: the line has 3 fields, the first line 6",
		"line 7: this login appears in line 3",
		"line 8: this user, whose rows must be consecutive, appears in line 2",
		"line 10: differs from line 9",
		"line 12: another user with this verified address appears in line 9",
		"line 14: this login appears in line 13",
		"14 rows: 4 users created; 5 identities stored, 0 present; 9 rows refused",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("Import() reported %s, want %q in it", report, want)
		}
	}
	if strings.Contains(report, "@") {
		t.Errorf("Import() reported an address: %s", report)
	}
	if got := strings.Count(ids, "\n"); got != 5 {
		t.Errorf("Import() wrote ids %q, want 4 users", ids)
	}
}

// Rows that do not fit into one request are sent in several, those of one user in
// the same one.
func TestFileBatches(t *testing.T) {
	var file strings.Builder
	file.WriteString("user,provider,uid,first_name\n")
	long := strings.Repeat("\u0001", 100)
	rows := 0
	for user := range 400 {
		for _, provider := range []string{"github", "discord", "vk"} {
			rows++
			fmt.Fprintf(&file, "%d,%s,%d,%s\n", user, provider, user+1, long)
		}
	}
	for uid := range socialauth.MaxImportedLogins + 1 {
		rows++
		fmt.Fprintf(&file, "many,github,%d,\n", 10000+uid)
	}
	requests, users := 0, 0
	var report, ids bytes.Buffer
	run := &socialauth.File{Report: &report, IDs: &ids, Send: func(r socialauth.Request) (socialauth.Response, error) {
		requests++
		var response socialauth.Response
		for _, user := range r.Users {
			users++
			if want := 3; len(user.Logins) != want && len(user.Logins) != socialauth.MaxImportedLogins {
				t.Errorf("request %d has a user with %d logins, want %d", requests, len(user.Logins), want)
			}
			response.Users = append(response.Users, socialauth.ImportResult{
				UserID: fmt.Sprint(users), IsNew: true, Stored: len(user.Logins), Refused: make([]string, len(user.Logins)),
			})
		}
		if len(r.Users) > 501 {
			t.Errorf("request %d has %d users, want 501 at most", requests, len(r.Users))
		}
		return response, nil
	}}
	err := run.Import(strings.NewReader(file.String()))
	want := fmt.Sprintf("%d rows: 401 users created; %d identities stored, 0 present; 1 rows refused", rows, rows-1)
	if err == nil || !strings.Contains(report.String(), want) || !strings.Contains(report.String(), "the user has more than 50 logins") {
		t.Errorf("Import() reported %s, %v, want %s", report.String(), err, want)
	}
	if requests < 3 || strings.Count(ids.String(), "\n") != 402 {
		t.Errorf("Import() sent %d requests and wrote %d ids, want several and 402 lines", requests, strings.Count(ids.String(), "\n"))
	}
}

func TestFileFailures(t *testing.T) {
	down := func(socialauth.Request) (socialauth.Response, error) {
		return socialauth.Response{}, errors.New("connection refused")
	}
	empty := func(socialauth.Request) (socialauth.Response, error) { return socialauth.Response{}, nil }
	for name, c := range map[string]struct {
		send       func(socialauth.Request) (socialauth.Response, error)
		file, want string
	}{
		"the server is down":       {down, header + "1,github,1,,,\n", "connection refused; users that were imported before stay, import the file again"},
		"an unexpected response":   {empty, header + "1,github,1,,,\n", "unexpected response from the server"},
		"no header":                {down, "nonsense", `line 1: column "nonsense" is unknown`},
		"a quote is not closed":    {down, header + "1,github,1,,,\"x\n", "line 2: a quote is not closed"},
		"no rows":                  {down, header, ""},
		"no rows, no user columns": {down, "provider,uid\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := &socialauth.File{Send: c.send, Report: &bytes.Buffer{}, IDs: &bytes.Buffer{}}
			err := run.Import(strings.NewReader(c.file))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Import() = %v, want %q", err, c.want)
			}
		})
	}
}
