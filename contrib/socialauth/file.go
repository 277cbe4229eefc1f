package socialauth

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// Limits of one request. Its JSON stays far below 1 MiB.
const (
	maxBatchLogins = 500
	maxBatchBytes  = 64 << 10
)

// File imports the users of a CSV file. Its first line names the columns: provider
// and uid or transfer_sub, and optionally user, email, email_verified, first_name,
// last_name and roles. The column user has the same value in all rows of one user, which
// are consecutive.
type File struct {
	// Send sends a request to the server.
	Send func(Request) (Response, error)
	// DryRun stores nothing.
	DryRun bool
	// Report receives a line for each row that was left out, and the totals.
	Report io.Writer
	// IDs receives the column user and the ID here of each user.
	IDs io.Writer

	ids    *csv.Writer
	users  []fileUser // the batch that is being filled
	logins int
	bytes  int
	seen   map[authcore.Digest]int // the line of a value that may appear once

	rows, created, stored, present, refused int
}

// fileUser has the rows of one user.
type fileUser struct {
	id    string
	lines []int
	ImportedUser
}

// Import imports the file and reports the result. It stops if the server or the
// file fails; users that were imported before stay. A File is used once.
func (f *File) Import(file io.Reader) error {
	rows, err := newRows(file)
	if err != nil {
		return err
	}
	f.seen, f.ids = map[authcore.Digest]int{}, csv.NewWriter(f.IDs)
	if !f.DryRun && slices.Contains(rows.columns, "user") {
		_ = f.ids.Write([]string{"user", "id"}) // Error reports failures
	}
	err = f.each(rows)
	f.ids.Flush()
	would := ""
	if f.DryRun {
		would = "would be "
	}
	_, _ = fmt.Fprintf(f.Report, "%d rows: %d users %screated; %d identities %sstored, %d present; %d rows refused\n",
		f.rows, f.created, would, f.stored, would, f.present, f.refused)
	switch {
	case err != nil:
		return fmt.Errorf("%w; users that were imported before stay, import the file again", err)
	case f.ids.Error() != nil:
		return fmt.Errorf("writing the ids: %w", f.ids.Error())
	case f.refused > 0:
		return fmt.Errorf("%d of %d rows were left out", f.refused, f.rows)
	}
	return nil
}

func (f *File) each(rows *rows) error {
	for {
		next, err := rows.next()
		var bad rowError
		switch {
		case errors.Is(err, io.EOF):
			return f.send()
		case errors.As(err, &bad):
			f.rows++
			f.refuse(bad)
			continue
		case err != nil:
			return err
		}
		f.rows++
		if err := f.add(next); err != nil {
			return err
		}
	}
}

func (f *File) refuse(bad rowError) {
	f.refused++
	_, _ = fmt.Fprintln(f.Report, bad)
}

// add puts a row into the batch. The batch is sent when another user would exceed
// its limits.
func (f *File) add(r row) error {
	last := len(f.users) - 1
	same := r.id != "" && last >= 0 && f.users[last].id == r.id
	if !same && (f.logins >= maxBatchLogins || f.bytes >= maxBatchBytes) {
		if err := f.send(); err != nil {
			return err
		}
	}
	if reason := f.fault(r, same); reason != "" {
		f.refuse(rowError{r.line, reason})
		return nil
	}
	if !same {
		f.users = append(f.users, fileUser{id: r.id, ImportedUser: r.user})
	}
	user := &f.users[len(f.users)-1]
	user.lines, user.Logins = append(user.lines, r.line), append(user.Logins, r.login)
	f.logins++
	f.bytes += len(r.id) + len(r.login.Provider) + len(r.login.UID) + len(r.login.TransferSub) +
		len(r.user.Email) + len(r.user.FirstName) + len(r.user.LastName)
	for _, role := range r.user.Roles {
		f.bytes += len(role)
	}
	return nil
}

// fault returns what is wrong with a row in view of earlier rows, or "". Two users
// with one address or one login would become one user.
func (f *File) fault(r row, same bool) string {
	if same {
		if reason := f.users[len(f.users)-1].contradicts(r); reason != "" {
			return reason
		}
	}
	type value struct {
		name  string
		parts []string
	}
	uid := r.login.UID
	if address, err := authcore.ParseAddress(uid); err == nil {
		uid = address.Key() // python-social-auth distinguishes spellings
	}
	unique := []value{{"this login", []string{r.login.Provider, uid, r.login.TransferSub}}}
	if !same && r.id != "" {
		unique = append(unique, value{"this user, whose rows must be consecutive,", []string{r.id}})
	}
	if !same && r.address != "" {
		unique = append(unique, value{"another user with this verified address", []string{r.address}})
	}
	for _, value := range unique {
		if line := f.seen[authcore.DigestOf("import "+value.name, value.parts...)]; line > 0 {
			return fmt.Sprintf("%s appears in line %d", value.name, line)
		}
	}
	for _, value := range unique {
		f.seen[authcore.DigestOf("import "+value.name, value.parts...)] = r.line
	}
	return ""
}

// contradicts returns how a further row of a user differs from the first, or "".
// An empty field does not differ.
func (u *fileUser) contradicts(r row) string {
	agrees := func(later, first string) bool { return later == "" || later == first }
	switch {
	case !agrees(r.user.Email, u.Email), !agrees(r.user.FirstName, u.FirstName),
		!agrees(r.user.LastName, u.LastName), r.user.EmailVerified && !u.EmailVerified,
		len(r.user.Roles) > 0 && !slices.Equal(r.user.Roles, u.Roles):
		return fmt.Sprintf("differs from line %d; write the same address, name and roles in all rows of a user", u.lines[0])
	case len(u.Logins) == MaxImportedLogins:
		return fmt.Sprintf("the user has more than %d logins", MaxImportedLogins)
	}
	return ""
}

// send sends the batch and begins another.
func (f *File) send() error {
	if len(f.users) == 0 {
		return nil
	}
	request := Request{DryRun: f.DryRun}
	for _, user := range f.users {
		request.Users = append(request.Users, user.ImportedUser)
	}
	response, err := f.Send(request)
	if err != nil {
		return err
	}
	if len(response.Users) != len(f.users) {
		return errors.New("unexpected response from the server")
	}
	for n, user := range f.users {
		f.count(user, response.Users[n])
	}
	f.users, f.logins, f.bytes = nil, 0, 0
	return nil
}

func (f *File) count(u fileUser, result ImportResult) {
	f.stored += result.Stored
	f.present += result.Present
	if result.IsNew {
		f.created++
	}
	for n, reason := range result.Refused {
		if reason != "" && n < len(u.lines) {
			f.refuse(rowError{u.lines[n], reason})
		}
	}
	if u.id != "" && result.UserID != "" && result.Stored+result.Present > 0 && !f.DryRun {
		_ = f.ids.Write([]string{u.id, result.UserID}) // Error reports failures
	}
}
