package caddymodule

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
)

// maxImportLine bounds a line of an import, and a field that goes on in further
// lines, in bytes. What fits its fields does.
const maxImportLine = 8 << 10

// importColumn is a column of an import, and how many bytes a field may have.
type importColumn struct {
	name  string
	limit int
}

// importColumns are all there are.
var importColumns = []importColumn{
	{"user", 255},
	{"provider", 64},
	{"uid", 255},
	{"transfer_sub", 255},
	{"email", 254},
	{"email_verified", 5},
	{"first_name", 600},
	{"last_name", 600},
}

// importRow is a line of an import.
type importRow struct {
	line int
	// user is what the other system calls the person; "" for a person of one row.
	user string
	// address is the key of a verified address, or "".
	address string
	person  importUser // without logins
	login   importLogin
}

// rowError is about one line, which is left out.
type rowError struct {
	line int
	why  string
}

func (e rowError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.why) }

// importRows reads rows, one line each. A field that goes on in the next line costs
// its row, up to where it ends: what is in it is no row, though it may look like
// one. People choose their names, and one who calls himself
// "x\n1,github,<his id>,<your address>,true" wants to log in as you (CWE-74).
type importRows struct {
	reader  *bufio.Reader
	columns []string
	line    int
}

// newImportRows reads the header.
func newImportRows(file io.Reader) (*importRows, error) {
	rows := &importRows{reader: bufio.NewReaderSize(file, maxImportLine)}
	header, _, err := rows.readLine()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line names the columns")
	}
	if err != nil {
		return nil, err
	}
	fields, err := splitRow(strings.TrimPrefix(header, "\ufeff"))
	if err != nil {
		return nil, rowError{rows.line, err.Error()}
	}
	for i, name := range fields {
		known := slices.ContainsFunc(importColumns, func(c importColumn) bool { return c.name == name })
		switch {
		case !known:
			return nil, rowError{rows.line, fmt.Sprintf("there is no column %q; they are %s", name, importColumnNames())}
		case slices.Contains(fields[:i], name):
			return nil, rowError{rows.line, "the column " + name + " is there twice"}
		}
	}
	if !slices.Contains(fields, "provider") || !slices.Contains(fields, "uid") && !slices.Contains(fields, "transfer_sub") {
		return nil, rowError{rows.line, "the first line has to name the columns, provider and uid among them; they are " + importColumnNames()}
	}
	rows.columns = fields
	return rows, nil
}

func importColumnNames() string {
	names := make([]string, len(importColumns))
	for i, column := range importColumns {
		names[i] = column.name
	}
	return strings.Join(names, ", ")
}

// next returns the next row. The error is a rowError for a row that is left out,
// io.EOF at the end, or why the file cannot be read on.
func (r *importRows) next() (importRow, error) {
	for {
		text, open, err := r.readLine()
		if open {
			return importRow{}, r.skipField()
		}
		if err != nil {
			return importRow{}, err
		}
		if text == "" {
			continue
		}
		row, err := parseRow(r.columns, text)
		if err != nil {
			return importRow{}, rowError{r.line, err.Error()}
		}
		row.line = r.line
		return row, nil
	}
}

// skipField goes to the end of a field that began in the line before.
func (r *importRows) skipField() error {
	begin := r.line
	for size := 0; size <= maxImportLine; {
		text, ends, err := r.readLine()
		var tooLong rowError
		if errors.Is(err, io.EOF) || errors.As(err, &tooLong) {
			break
		}
		if err != nil {
			return err
		}
		if ends {
			return rowError{begin, fmt.Sprintf("has a field that ends in line %d; let every row be one line", r.line)}
		}
		size += len(text) + 1
	}
	return fmt.Errorf("line %d: has a quote that is not closed; what comes after it was not read", begin)
}

// readLine returns the next line without its end, and whether an odd number of
// quotes is in it. In CSV there is one at both ends of a field and two for each
// inside, so that after an odd number a field that was not open is, and the other
// way about (RFC 4180, section 2).
func (r *importRows) readLine() (text string, odd bool, err error) {
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
		return "", quotes%2 != 0, rowError{r.line, fmt.Sprintf("is longer than %d bytes", maxImportLine)}
	case err != nil && len(line) == 0:
		return "", false, err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), quotes%2 != 0, nil
}

// splitRow returns the fields of a line (RFC 4180).
func splitRow(text string) ([]string, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("is no UTF-8")
	}
	reader := csv.NewReader(strings.NewReader(text))
	fields, err := reader.Read()
	if err == nil {
		_, err = reader.Read()
	}
	if !errors.Is(err, io.EOF) || fields == nil {
		return nil, errors.New("is no CSV: a quote stands inside of a field")
	}
	return fields, nil
}

// parseRow reads a line. Its errors cite nothing of it: addresses are in it.
func parseRow(columns []string, text string) (importRow, error) {
	fields, err := splitRow(text)
	if err != nil {
		return importRow{}, err
	}
	if len(fields) != len(columns) {
		return importRow{}, fmt.Errorf("has %d fields, and the first line %d", len(fields), len(columns))
	}
	values := map[string]string{}
	for i, name := range columns {
		values[name] = fields[i]
	}
	for _, column := range importColumns {
		if len(values[column.name]) > column.limit {
			return importRow{}, fmt.Errorf("%s: is longer than %d bytes", column.name, column.limit)
		}
	}
	row := importRow{
		user:   values["user"],
		person: importUser{Email: values["email"], FirstName: values["first_name"], LastName: values["last_name"]},
		login:  importLogin{values["provider"], values["uid"], values["transfer_sub"]},
	}
	if row.login.Provider == "" || row.login.UID == "" && row.login.TransferSub == "" {
		return importRow{}, errors.New("provider or uid is empty")
	}
	if verified := values["email_verified"]; verified != "" {
		if row.person.EmailVerified, err = strconv.ParseBool(verified); err != nil {
			return importRow{}, errors.New("email_verified: is neither true nor false")
		}
	}
	if err := row.checkAddress(); err != nil {
		return importRow{}, err
	}
	return row, nil
}

func (r *importRow) checkAddress() error {
	address, err := authcore.ParseAddress(r.person.Email)
	switch {
	case r.person.Email == "":
		r.person.EmailVerified = false
	case err != nil:
		return errors.New("email: is no e-mail address; leave it empty where there is none")
	case r.person.EmailVerified:
		r.address = address.Key()
	}
	return nil
}
