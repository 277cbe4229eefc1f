package caddymodule

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestImportRows(t *testing.T) {
	file := "\ufeffuser,provider,uid,email,email_verified,first_name\r\n" +
		"7,github,1,Ann@Example.com,t,Ann\r\n" +
		"\r\n" +
		"\"7\",\"google-oauth2\",ann@gmail.com,,,\n" +
		"8,discord,2,,true,\"Bo \"\"B\"\" Li, jr\"\n" +
		"9,vk-oauth2,3,b@example.com,0," // no end of line
	rows, err := newImportRows(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []importRow{
		{2, "7", "ann@example.com", importUser{Email: "Ann@Example.com", EmailVerified: true, FirstName: "Ann"}, importLogin{"github", "1", ""}},
		{4, "7", "", importUser{}, importLogin{"google-oauth2", "ann@gmail.com", ""}},
		{5, "8", "", importUser{FirstName: `Bo "B" Li, jr`}, importLogin{"discord", "2", ""}},
		{6, "9", "", importUser{Email: "b@example.com"}, importLogin{"vk-oauth2", "3", ""}},
	}
	for _, want := range want {
		got, err := rows.next()
		same := got.line == want.line && got.user == want.user && got.address == want.address && got.login == want.login &&
			got.person.Email == want.person.Email && got.person.EmailVerified == want.person.EmailVerified && got.person.FirstName == want.person.FirstName
		if err != nil || !same {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := rows.next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last row: %v", err)
	}
}

func TestImportHeaders(t *testing.T) {
	for file, want := range map[string]string{
		"":                                    "the file is empty",
		"\n":                                  "line 1: is no CSV",
		"provider,user_id\ngithub,1":          `line 1: there is no column "user_id"; they are user, provider, uid`,
		"Provider,uid":                        `there is no column "Provider"`,
		"provider,uid,uid":                    "the column uid is there twice",
		"provider,email":                      "the first line has to name the columns, provider and uid",
		"uid":                                 "the first line has to name the columns",
		"github,1\n":                          `there is no column "github"`,
		"provider,\"uid\n":                    "line 1: is no CSV",
		"\xff\xfep\x00r\x00":                  "line 1: is no UTF-8",
		strings.Repeat("x", maxImportLine+10): "line 1: is longer than 8192 bytes",
	} {
		if _, err := newImportRows(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", file, err, want)
		}
	}
	failing := io.MultiReader(strings.NewReader("provider,uid\ngithub,1\n"), iotest.ErrReader(errors.New("the disk is gone")))
	rows, err := newImportRows(failing)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = rows.next(); err != nil {
		t.Error(err)
	}
	if _, err = rows.next(); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// Rubbish in a line costs that line, whatever its size, and the next one is read
// (CWE-20, CWE-770). What the line says is cited nowhere: it may be an address.
func TestImportRubbish(t *testing.T) {
	const columns = "user,provider,uid,transfer_sub,email,email_verified,first_name"
	for line, want := range map[string]string{
		"7,github,1,,,":             "has 6 fields, and the first line 7",
		"7,github,1,,,,,":           "has 8 fields",
		",,":                        "has 3 fields",
		`7,"git"hub,1,,,,`:          "is no CSV",
		`7,git""hub,1,,,,`:          "is no CSV",
		"7,github,\xff,,,,":         "is no UTF-8",
		"7,,1,,,,":                  "provider or uid is empty",
		"7,github,,,,,":             "provider or uid is empty",
		"7,github,1,,secret@,,":     "email: is no e-mail address",
		"7,github,1,,a@b.app,yes,":  "email_verified: is neither true nor false",
		"7,github,1,,a@b.app, t,":   "email_verified: is neither",
		"7,github,1,,a@b.app,trues": "has 6 fields",
		strings.Repeat("7", 256) + ",github,1,,,,":      "user: is longer than 255 bytes",
		"7," + strings.Repeat("g", 65) + ",1,,,,":       "provider: is longer",
		"7,github," + strings.Repeat("1", 256) + ",,,,": "uid: is longer",
		"7,github,1,,,," + strings.Repeat("x", 601):     "first_name: is longer",
		strings.Repeat("x", 100<<10):                    "is longer than 8192 bytes",
		strings.Repeat(",", maxImportLine-1):            "has 8192 fields",
		strings.Repeat("\"", maxImportLine-2):           "has 1 fields",
		strings.Repeat("\"", maxImportLine+2):           "is longer than 8192 bytes",
	} {
		rows, err := newImportRows(strings.NewReader(columns + "\n" + line + "\n8,github,2,,,,\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = rows.next()
		var bad rowError
		if !errors.As(err, &bad) || bad.line != 2 || !strings.Contains(bad.why, want) || strings.Contains(bad.why, "secret") {
			t.Errorf("%.30q: %v, want %s", line, err, want)
		}
		if row, err := rows.next(); err != nil || row.line != 3 || row.login.UID != "2" {
			t.Errorf("after %.30q: %+v, %v", line, row, err)
		}
	}
}

// TestImportedNameThatIsARow: somebody who chose a name of several lines in the
// other system has none of them taken for a row, by which their login would get
// somebody else's account (CWE-74). Where such a name ends nobody can say once a
// quote is missing, or lines are too long to be looked at: nothing is read there.
func TestImportedNameThatIsARow(t *testing.T) {
	const (
		columns = "user,provider,uid,email,email_verified,first_name,last_name\n"
		eve     = "1,github,666,ann@example.com,true,a,b"
		next    = "8,github,2,,,,\n"
	)
	long := strings.Repeat("x", maxImportLine)
	for name, c := range map[string]struct{ file, refused, fatal string }{
		"in the middle":     {"7,github,5,,,\"x\n" + eve + "\ny\",Eve\n" + next, "line 2: has a field that ends in line 4", ""},
		"at the end":        {"7,github,5,,,Eve,\"x\n" + eve + "\n\"\n" + next, "line 2: has a field that ends in line 4", ""},
		"with CRLF":         {"7,github,5,,,Eve,\"x\r\n" + eve + "\r\n\"\r\n" + next, "line 2: has a field that ends in line 4", ""},
		"with quotes in it": {"7,github,5,,,Eve,\"\"\"x\n" + strings.Replace(eve, "a", `""a""`, 1) + "\n\"\n" + next, "line 2: has a field that ends in line 4", ""},
		"two such names":    {"7,github,5,,,\"x\n" + eve + "\n\",\"\n" + eve + "\n\"\n" + next, "line 2: has a field that ends in line 6", ""},
		"after a long line": {"7,github,5,,,\"x" + long + "\n" + eve + "\n\",Eve\n" + next, "line 2: has a field that ends in line 4", ""},
		"with a long line":  {"7,github,5,,,\"x\n" + long + "\n" + eve + "\n\",Eve\n" + next, "", "line 2: has a quote that is not closed"},
		"of many lines":     {"7,github,5,,,\"x\n" + strings.Repeat("y\n", maxImportLine) + eve + "\n\",Eve\n" + next, "", "line 2: has a quote that is not closed"},
		"never closed":      {"7,github,5,,,\"x,Eve\n" + eve + "\n" + next, "", "line 2: has a quote that is not closed"},
		"a stray quote":     {"7,git\"hub,5,,,Eve,x\n" + next, "", "line 2: has a quote that is not closed"},
	} {
		rows, err := newImportRows(strings.NewReader(columns + c.file))
		if err != nil {
			t.Fatal(err)
		}
		var taken, refused []string
		for {
			var bad rowError
			row, err := rows.next()
			if errors.As(err, &bad) {
				refused = append(refused, bad.Error())
				continue
			}
			if err == nil {
				taken = append(taken, row.login.UID)
				continue
			}
			if c.fatal == "" != errors.Is(err, io.EOF) || !strings.Contains(err.Error(), c.fatal) {
				t.Errorf("%s: ends with %v, want %q", name, err, c.fatal)
			}
			break
		}
		if got := strings.Join(refused, "\n"); (got == "") != (c.refused == "") || !strings.HasPrefix(got, c.refused) {
			t.Errorf("%s: refused are %q, want %q", name, got, c.refused)
		}
		if want := c.fatal == ""; (len(taken) == 1) != want || want && taken[0] != "2" {
			t.Errorf("%s: taken are %v", name, taken)
		}
	}
}

// FuzzImportRow: a row that is taken says what its fields say, fits its bounds,
// and can be written and read again.
func FuzzImportRow(f *testing.F) {
	columns := make([]string, len(importColumns))
	for i, column := range importColumns {
		columns[i] = column.name
	}
	for _, seed := range []string{
		"7,github,1,,ann@example.com,true,Ann,Lee", `"7","google-oauth2","ann@gmail.com",,,,,`, ",apple-id,,760417.e.1,,,,",
		`"a""b",c,d,,,,"x,y",`, `"`, "", ",", "\xff", "7,github,1,,a@b.app,maybe,,", "\r", "7,g,1,,,,\",\"", "=cmd(),g,1,,,,,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			t.Skip("that is two lines")
		}
		row, err := parseRow(columns, line)
		if err != nil {
			if len(line) > 40 && strings.Contains(err.Error(), line) {
				t.Fatalf("%v cites the line", err)
			}
			return
		}
		verified := ""
		if row.person.EmailVerified {
			verified = "true"
		}
		fields := []string{
			row.user, row.login.Provider, row.login.UID, row.login.TransferSub,
			row.person.Email, verified, row.person.FirstName, row.person.LastName,
		}
		for i, column := range importColumns {
			if len(fields[i]) > column.limit || !utf8.ValidString(fields[i]) {
				t.Fatalf("%s is %q", column.name, fields[i])
			}
		}
		if row.person.EmailVerified != (row.address != "") {
			t.Fatalf("verified is %t, and the address %q", row.person.EmailVerified, row.address)
		}
		if slices.ContainsFunc(fields, func(field string) bool { return strings.ContainsAny(field, "\r\n") }) {
			return // csv writes those in another way
		}
		var text strings.Builder
		writer := csv.NewWriter(&text)
		if err := writer.Write(fields); err != nil {
			t.Fatal(err)
		}
		writer.Flush()
		again, err := parseRow(columns, strings.TrimSuffix(text.String(), "\n"))
		if err != nil || again.user != row.user || again.login != row.login || again.address != row.address {
			t.Fatalf("%q became %+v and then %+v, %v", line, row, again, err)
		}
	})
}

// FuzzImportFile: whatever is taken for a row is one to a reader that looks at the
// whole file.
func FuzzImportFile(f *testing.F) {
	for _, seed := range []string{
		"github,1\n", "github,\"1\"\r\n\r\ngithub,2", "\"github,1\ngithub,2\n\",3\ngithub,4\n", "\"\"\"\ngithub,1\n\",2\n",
		"github,\"x\n\",\"\ngithub,1\n\"\n", "git\"hub,1\ngithub,2\n", "\"x\"y\"\ngithub,1\n\"\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		whole := csv.NewReader(strings.NewReader(text))
		whole.FieldsPerRecord = -1
		records, err := whole.ReadAll()
		if err != nil {
			t.Skip("that is no CSV")
		}
		rows, err := newImportRows(strings.NewReader("provider,uid\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		for {
			row, err := rows.next()
			var bad rowError
			switch {
			case errors.As(err, &bad):
				continue
			case err != nil:
				return
			}
			want := []string{row.login.Provider, row.login.UID}
			if !slices.ContainsFunc(records, func(record []string) bool { return slices.Equal(record, want) }) {
				t.Fatalf("%q is no record of %q", want, text)
			}
		}
	})
}
