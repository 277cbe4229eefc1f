package socialauth

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

func TestRows(t *testing.T) {
	file := "\ufeffuser,provider,uid,email,email_verified,first_name\r\n" +
		"7,github,1,Ann@Example.com,t,Ann\r\n" +
		"\r\n" +
		"\"7\",\"google-oauth2\",ann@gmail.com,,,\n" +
		"8,discord,2,,true,\"Bo \"\"B\"\" Li, jr\"\n" +
		"9,vk-oauth2,3,b@example.com,0," // no end of line
	rows, err := newRows(strings.NewReader(file))
	if err != nil {
		t.Fatalf("reading failed: %v", err)
	}
	want := []row{
		{2, "7", "ann@example.com", ImportedUser{Email: "Ann@Example.com", EmailVerified: true, FirstName: "Ann"}, ImportedLogin{"github", "1", ""}},
		{4, "7", "", ImportedUser{}, ImportedLogin{"google-oauth2", "ann@gmail.com", ""}},
		{5, "8", "", ImportedUser{FirstName: `Bo "B" Li, jr`}, ImportedLogin{"discord", "2", ""}},
		{6, "9", "", ImportedUser{Email: "b@example.com"}, ImportedLogin{"vk-oauth2", "3", ""}},
	}
	for _, want := range want {
		got, err := rows.next()
		same := got.line == want.line && got.id == want.id && got.address == want.address && got.login == want.login &&
			got.user.Email == want.user.Email && got.user.EmailVerified == want.user.EmailVerified && got.user.FirstName == want.user.FirstName
		if err != nil || !same {
			t.Errorf("next() = %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := rows.next(); !errors.Is(err, io.EOF) {
		t.Errorf("next() after the last row = %v, want %v", err, io.EOF)
	}
}

func TestHeaders(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "the file is empty",
		"\n":                            "line 1: the line is not valid CSV",
		"provider,user_id\ngithub,1":    `line 1: column "user_id" is unknown; use user, provider, uid`,
		"Provider,uid":                  `column "Provider" is unknown`,
		"provider,uid,uid":              "column uid appears twice",
		"provider,email":                "the first line must name the columns, with provider and uid",
		"uid":                           "the first line must name the columns",
		"github,1\n":                    `column "github" is unknown`,
		"provider,\"uid\n":              "line 1: the line is not valid CSV",
		"\xff\xfep\x00r\x00":            "line 1: the line is not valid UTF-8",
		strings.Repeat("x", maxLine+10): "line 1: the line has more than 8192 bytes",
	} {
		if _, err := newRows(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("newRows(%.30q) = %v, want %s", file, err, want)
		}
	}
	failing := io.MultiReader(strings.NewReader("provider,uid\ngithub,1\n"), iotest.ErrReader(errors.New("disk failure")))
	rows, err := newRows(failing)
	if err != nil {
		t.Fatalf("reading failed: %v", err)
	}
	if _, err = rows.next(); err != nil {
		t.Errorf("next() failed: %v", err)
	}
	if _, err = rows.next(); err == nil || !strings.Contains(err.Error(), "disk failure") {
		t.Errorf("next() of a file that cannot be read = %v, want a disk failure", err)
	}
}

// A line that is not valid costs that line only, whatever its size (CWE-20,
// CWE-770). The reason quotes nothing of the line, which may contain an address.
func TestRowsRefuse(t *testing.T) {
	const columns = "user,provider,uid,transfer_sub,email,email_verified,first_name"
	for line, want := range map[string]string{
		"7,github,1,,,":             "has 6 fields, the first line 7",
		"7,github,1,,,,,":           "has 8 fields",
		",,":                        "has 3 fields",
		`7,"git"hub,1,,,,`:          "is not valid CSV",
		`7,git""hub,1,,,,`:          "is not valid CSV",
		"7,github,\xff,,,,":         "is not valid UTF-8",
		"7,,1,,,,":                  "provider or uid is empty",
		"7,github,,,,,":             "provider or uid is empty",
		"7,github,1,,secret@,,":     "email: is not a valid e-mail address",
		"7,github,1,,a@b.app,yes,":  "email_verified: is not true or false",
		"7,github,1,,a@b.app, t,":   "email_verified: is not",
		"7,github,1,,a@b.app,trues": "has 6 fields",
		strings.Repeat("7", 256) + ",github,1,,,,":      "user: has more than 255 bytes",
		"7," + strings.Repeat("g", 65) + ",1,,,,":       "provider: has more",
		"7,github," + strings.Repeat("1", 256) + ",,,,": "uid: has more",
		"7,github,1,,,," + strings.Repeat("x", 601):     "first_name: has more",
		strings.Repeat("x", 100<<10):                    "has more than 8192 bytes",
		strings.Repeat(",", maxLine-1):                  "has 8192 fields",
		strings.Repeat("\"", maxLine-2):                 "has 1 fields",
		strings.Repeat("\"", maxLine+2):                 "has more than 8192 bytes",
	} {
		rows, err := newRows(strings.NewReader(columns + "\n" + line + "\n8,github,2,,,,\n"))
		if err != nil {
			t.Fatalf("reading failed: %v", err)
		}
		_, err = rows.next()
		var bad rowError
		if !errors.As(err, &bad) || bad.line != 2 || !strings.Contains(bad.reason, want) || strings.Contains(bad.reason, "secret") {
			t.Errorf("next() of %.30q = %v, want %s", line, err, want)
		}
		if row, err := rows.next(); err != nil || row.line != 3 || row.login.UID != "2" {
			t.Errorf("next() after %.30q = %+v, %v, want line 3", line, row, err)
		}
	}
}

// A user of the other system chose a name of several lines, one of which looks like
// a row that gives the user's login to another account (CWE-74). No part of such a
// name is read as a row. Its end is unknown if a quote is missing or lines are too
// long: then nothing after it is read.
func TestNameThatLooksLikeARow(t *testing.T) {
	const (
		columns = "user,provider,uid,email,email_verified,first_name,last_name\n"
		eve     = "1,github,666,ann@example.com,true,a,b"
		next    = "8,github,2,,,,\n"
	)
	long := strings.Repeat("x", maxLine)
	for name, c := range map[string]struct{ file, refused, fatal string }{
		"in the middle":     {"7,github,5,,,\"x\n" + eve + "\ny\",Eve\n" + next, "line 2: a field ends in line 4", ""},
		"at the end":        {"7,github,5,,,Eve,\"x\n" + eve + "\n\"\n" + next, "line 2: a field ends in line 4", ""},
		"with CRLF":         {"7,github,5,,,Eve,\"x\r\n" + eve + "\r\n\"\r\n" + next, "line 2: a field ends in line 4", ""},
		"with quotes in it": {"7,github,5,,,Eve,\"\"\"x\n" + strings.Replace(eve, "a", `""a""`, 1) + "\n\"\n" + next, "line 2: a field ends in line 4", ""},
		"two such names":    {"7,github,5,,,\"x\n" + eve + "\n\",\"\n" + eve + "\n\"\n" + next, "line 2: a field ends in line 6", ""},
		"after a long line": {"7,github,5,,,\"x" + long + "\n" + eve + "\n\",Eve\n" + next, "line 2: a field ends in line 4", ""},
		"with a long line":  {"7,github,5,,,\"x\n" + long + "\n" + eve + "\n\",Eve\n" + next, "", "line 2: a quote is not closed"},
		"of many lines":     {"7,github,5,,,\"x\n" + strings.Repeat("y\n", maxLine) + eve + "\n\",Eve\n" + next, "", "line 2: a quote is not closed"},
		"never closed":      {"7,github,5,,,\"x,Eve\n" + eve + "\n" + next, "", "line 2: a quote is not closed"},
		"a stray quote":     {"7,git\"hub,5,,,Eve,x\n" + next, "", "line 2: a quote is not closed"},
	} {
		rows, err := newRows(strings.NewReader(columns + c.file))
		if err != nil {
			t.Fatalf("reading failed: %v", err)
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
				t.Errorf("%s: reading ended with %v, want %q", name, err, c.fatal)
			}
			break
		}
		if got := strings.Join(refused, "\n"); (got == "") != (c.refused == "") || !strings.HasPrefix(got, c.refused) {
			t.Errorf("%s: refused rows = %q, want %q", name, got, c.refused)
		}
		if want := c.fatal == ""; (len(taken) == 1) != want || want && taken[0] != "2" {
			t.Errorf("%s: accepted rows = %v, want 2 or none", name, taken)
		}
	}
}

// FuzzRow checks that an accepted row is within its limits, and that it has the
// same fields after it was written and read again.
func FuzzRow(f *testing.F) {
	var names []string
	for _, column := range columns() {
		names = append(names, column.name)
	}
	for _, seed := range []string{
		"7,github,1,,ann@example.com,true,Ann,Lee", `"7","google-oauth2","ann@gmail.com",,,,,`, ",apple-id,,760417.e.1,,,,",
		`"a""b",c,d,,,,"x,y",`, `"`, "", ",", "\xff", "7,github,1,,a@b.app,maybe,,", "\r", "7,g,1,,,,\",\"", "=cmd(),g,1,,,,,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			t.Skip("two lines")
		}
		row, err := parseRow(names, line)
		if err != nil {
			if len(line) > 40 && strings.Contains(err.Error(), line) {
				t.Fatalf("error %v quotes the line", err)
			}
			return
		}
		verified := ""
		if row.user.EmailVerified {
			verified = "true"
		}
		fields := []string{
			row.id, row.login.Provider, row.login.UID, row.login.TransferSub,
			row.user.Email, verified, row.user.FirstName, row.user.LastName,
		}
		for i, column := range columns() {
			if len(fields[i]) > column.limit || !utf8.ValidString(fields[i]) {
				t.Fatalf("field %s = %q, which exceeds its limits", column.name, fields[i])
			}
		}
		if row.user.EmailVerified != (row.address != "") {
			t.Fatalf("verified = %t with address key %q", row.user.EmailVerified, row.address)
		}
		if slices.ContainsFunc(fields, func(field string) bool { return strings.ContainsAny(field, "\r\n") }) {
			return // encoding/csv changes them
		}
		var text strings.Builder
		writer := csv.NewWriter(&text)
		if err := writer.Write(fields); err != nil {
			t.Fatalf("reading failed: %v", err)
		}
		writer.Flush()
		again, err := parseRow(names, strings.TrimSuffix(text.String(), "\n"))
		if err != nil || again.id != row.id || again.login != row.login || again.address != row.address {
			t.Fatalf("parseRow(%q) = %+v, and after writing %+v, %v", line, row, again, err)
		}
	})
}

// FuzzRows checks that each accepted row is a record to a reader of the whole file.
func FuzzRows(f *testing.F) {
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
			t.Skip("not CSV")
		}
		rows, err := newRows(strings.NewReader("provider,uid\n" + text))
		if err != nil {
			t.Fatalf("reading failed: %v", err)
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
				t.Fatalf("row %q is not a record of %q", want, text)
			}
		}
	})
}
