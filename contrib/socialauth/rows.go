package socialauth

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxLine limits the length of a line, and of a field that continues in further
// lines, in bytes. All columns at their limits fit into it.
const maxLine = 8 << 10

// column is a column of a file. limit is the maximum length of a field in bytes.
type column struct {
	name  string
	limit int
}

// columns returns all columns that a file may have.
func columns() []column {
	return []column{
		{"user", 255},
		{"provider", 64},
		{"uid", 255},
		{"transfer_sub", 255},
		{"email", 254},
		{"email_verified", 5},
		{"first_name", 600},
		{"last_name", 600},
		{"roles", authcore.MaxRoles * (gate.MaxRoleName + 1)},
	}
}

func columnNames() string {
	var names []string
	for _, column := range columns() {
		names = append(names, column.name)
	}
	return strings.Join(names, ", ")
}

// row is a line of a file.
type row struct {
	line int
	// id identifies the user in the other system; "" for a user with one row.
	id string
	// address is the key of a verified address, or "".
	address string
	user    ImportedUser // without logins
	login   ImportedLogin
}

// rowError is the reason why a line was left out.
type rowError struct {
	line   int
	reason string
}

func (e rowError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// rows reads the rows of a file, one line each. A field that continues in the next
// line costs its row up to its end: text in it is not read as a row, even if it
// looks like one. Users choose their names, and the name
// "x\n1,github,<attacker's id>,<victim's address>,true" must not become a login
// (CWE-74).
type rows struct {
	reader  *bufio.Reader
	columns []string
	line    int
}

// newRows reads the header.
func newRows(file io.Reader) (*rows, error) {
	r := &rows{reader: bufio.NewReaderSize(file, maxLine)}
	header, _, err := r.readLine()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line names the columns")
	}
	if err != nil {
		return nil, err
	}
	fields, err := splitRow(strings.TrimPrefix(header, "\ufeff"))
	if err != nil {
		return nil, rowError{r.line, err.Error()}
	}
	for i, name := range fields {
		known := slices.ContainsFunc(columns(), func(c column) bool { return c.name == name })
		switch {
		case !known:
			return nil, rowError{r.line, fmt.Sprintf("column %q is unknown; use %s", name, columnNames())}
		case slices.Contains(fields[:i], name):
			return nil, rowError{r.line, "column " + name + " appears twice"}
		}
	}
	if !slices.Contains(fields, "provider") || !slices.Contains(fields, "uid") && !slices.Contains(fields, "transfer_sub") {
		return nil, rowError{r.line, "the first line must name the columns, with provider and uid; use " + columnNames()}
	}
	r.columns = fields
	return r, nil
}

// next returns the next row. The error is a rowError for a row that is left out,
// io.EOF at the end, and otherwise a failure that ends the reading.
func (r *rows) next() (row, error) {
	for {
		text, open, err := r.readLine()
		if open {
			return row{}, r.skipField()
		}
		if err != nil {
			return row{}, err
		}
		if text == "" {
			continue
		}
		parsed, err := parseRow(r.columns, text)
		if err != nil {
			return row{}, rowError{r.line, err.Error()}
		}
		parsed.line = r.line
		return parsed, nil
	}
}

// skipField reads to the end of a field that began in the previous line.
func (r *rows) skipField() error {
	begin := r.line
	for size := 0; size <= maxLine; {
		text, ends, err := r.readLine()
		var tooLong rowError
		if errors.Is(err, io.EOF) || errors.As(err, &tooLong) {
			break
		}
		if err != nil {
			return err
		}
		if ends {
			return rowError{begin, fmt.Sprintf("a field ends in line %d; write every row in one line", r.line)}
		}
		size += len(text) + 1
	}
	return fmt.Errorf("line %d: a quote is not closed; the rest of the file was not read", begin)
}

// readLine returns the next line without its end, and whether it contains an odd
// number of quotes. A field has one quote at each end and two for each inside, so
// that an odd number opens a closed field or closes an open one (RFC 4180, section
// 2).
func (r *rows) readLine() (text string, odd bool, err error) {
	line, err := r.reader.ReadSlice('\n')
	if len(line) > 0 {
		r.line++
	}
	quotes := bytes.Count(line, []byte{'"'})
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.reader.ReadSlice('\n')
		quotes += bytes.Count(line, []byte{'"'})
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", false, fmt.Errorf("reading line %d: %w", r.line+1, err)
	case tooLong:
		return "", quotes%2 != 0, rowError{r.line, fmt.Sprintf("the line has more than %d bytes", maxLine)}
	case err != nil && len(line) == 0:
		return "", false, err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), quotes%2 != 0, nil
}

// splitRow returns the fields of a line (RFC 4180).
func splitRow(text string) ([]string, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the line is not valid UTF-8")
	}
	reader := csv.NewReader(strings.NewReader(text))
	fields, err := reader.Read()
	if err == nil {
		_, err = reader.Read()
	}
	if !errors.Is(err, io.EOF) || fields == nil {
		return nil, errors.New("the line is not valid CSV: a quote is inside of a field")
	}
	return fields, nil
}

// parseRow parses a line. Its errors quote nothing of the line, which contains
// addresses.
func parseRow(names []string, text string) (row, error) {
	fields, err := splitRow(text)
	if err != nil {
		return row{}, err
	}
	if len(fields) != len(names) {
		return row{}, fmt.Errorf("the line has %d fields, the first line %d", len(fields), len(names))
	}
	values := map[string]string{}
	for i, name := range names {
		values[name] = fields[i]
	}
	for _, column := range columns() {
		if len(values[column.name]) > column.limit {
			return row{}, fmt.Errorf("%s: has more than %d bytes", column.name, column.limit)
		}
	}
	parsed := row{
		id:    values["user"],
		user:  ImportedUser{Email: values["email"], FirstName: values["first_name"], LastName: values["last_name"]},
		login: ImportedLogin{Provider: values["provider"], UID: values["uid"], TransferSub: values["transfer_sub"]},
	}
	if parsed.login.Provider == "" || parsed.login.UID == "" && parsed.login.TransferSub == "" {
		return row{}, errors.New("provider or uid is empty")
	}
	if verified := values["email_verified"]; verified != "" {
		if parsed.user.EmailVerified, err = strconv.ParseBool(verified); err != nil {
			return row{}, errors.New("email_verified: is not true or false")
		}
	}
	if parsed.user.Roles, err = authcore.ParseRoles(strings.Fields(values["roles"])); err != nil {
		return row{}, errors.New("roles: a name is not valid or there are too many; separate names by blanks")
	}
	if err := parsed.checkAddress(); err != nil {
		return row{}, err
	}
	return parsed, nil
}

// checkAddress checks the address of a row and sets its key.
func (r *row) checkAddress() error {
	address, err := authcore.ParseAddress(r.user.Email)
	switch {
	case r.user.Email == "":
		r.user.EmailVerified = false
	case err != nil:
		return errors.New("email: is not a valid e-mail address; leave the column empty otherwise")
	case r.user.EmailVerified:
		r.address = address.Key()
	}
	return nil
}
