package caddymodule

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"io"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/edgeauth/edgeauth/authcore"
)

// What one request of an import holds at most. In bytes of the file it is far
// below maxAdminBody, whatever becomes of them in JSON.
const (
	importLogins = 500
	importBytes  = 64 << 10
)

func userImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <file>",
		Short: "Stores users of another system, python-social-auth above all",
		Long: `
Asks the admin API of the running server to store users with their logins at
providers, so that they find their accounts when they log in. What is there
already stays as it is: the same file may be imported again.

The file, or standard input for "-", is CSV in UTF-8. Its first line names the
columns: provider and uid, or transfer_sub for users of an Apple app that another
team had; user, which is the same for all rows of one person, who stand together;
email, email_verified, first_name and last_name.

Standard output gets the id of each person here, beside what the column user says.
Rows that cannot be imported are named, with the reason, and left out; the status
is then other than 0.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Bool("dry-run", false, "Say what would be stored, and store nothing")
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
		client, err := newAdminClient(flags)
		if err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		file := os.Stdin
		if name := flags.Arg(0); name != "-" {
			if file, err = os.Open(name); err != nil { //nolint:gosec // the operator named it
				return caddy.ExitCodeFailedStartup, err
			}
			defer func() { _ = file.Close() }()
		}
		run := &userImport{client: client, dry: flags.Bool("dry-run"), report: os.Stderr, ids: csv.NewWriter(os.Stdout)}
		if err := run.all(file); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

// userImport is one run of `caddy edgeauth user import`.
type userImport struct {
	client adminClient
	dry    bool
	report io.Writer
	// ids gets a line for each person with a name in the other system.
	ids *csv.Writer

	people []importPerson // the batch that is being filled
	logins int
	bytes  int
	seen   map[authcore.Digest]int // where something stood that may stand once

	rows, made, stored, present, refused int
}

// importPerson is the rows of one person.
type importPerson struct {
	user  string
	lines []int
	importUser
}

// all imports a file and says what became of it. It stops where the server or
// the file fails; what was imported until then stays.
func (i *userImport) all(file io.Reader) error {
	rows, err := newImportRows(file)
	if err != nil {
		return err
	}
	i.seen = map[authcore.Digest]int{}
	if !i.dry && slices.Contains(rows.columns, "user") {
		_ = i.ids.Write([]string{"user", "id"}) // Flush tells
	}
	err = i.each(rows)
	i.ids.Flush()
	would := ""
	if i.dry {
		would = "would be "
	}
	_, _ = fmt.Fprintf(i.report, "%d rows: %d users %smade; %d identities %sstored, %d were there already; %d rows refused\n",
		i.rows, i.made, would, i.stored, would, i.present, i.refused)
	switch {
	case err != nil:
		return fmt.Errorf("%w; what was imported before stays, so import the file again", err)
	case i.ids.Error() != nil:
		return fmt.Errorf("writing the ids: %w", i.ids.Error())
	case i.refused > 0:
		return fmt.Errorf("%d of %d rows were left out", i.refused, i.rows)
	}
	return nil
}

func (i *userImport) each(rows *importRows) error {
	for {
		row, err := rows.next()
		var bad rowError
		switch {
		case errors.Is(err, io.EOF):
			return i.send()
		case errors.As(err, &bad):
			i.rows++
			i.refuse(bad)
			continue
		case err != nil:
			return err
		}
		i.rows++
		if err := i.add(row); err != nil {
			return err
		}
	}
}

func (i *userImport) refuse(bad rowError) {
	i.refused++
	_, _ = fmt.Fprintln(i.report, bad)
}

// add puts a row into the batch, which is sent when the next person would make it
// too large.
func (i *userImport) add(row importRow) error {
	last := len(i.people) - 1
	same := row.user != "" && last >= 0 && i.people[last].user == row.user
	if !same && (i.logins >= importLogins || i.bytes >= importBytes) {
		if err := i.send(); err != nil {
			return err
		}
	}
	if why := i.fault(row, same); why != "" {
		i.refuse(rowError{row.line, why})
		return nil
	}
	if !same {
		i.people = append(i.people, importPerson{user: row.user, importUser: row.person})
	}
	person := &i.people[len(i.people)-1]
	person.lines, person.Logins = append(person.lines, row.line), append(person.Logins, row.login)
	i.logins++
	i.bytes += len(row.user) + len(row.login.Provider) + len(row.login.UID) + len(row.login.TransferSub) +
		len(row.person.Email) + len(row.person.FirstName) + len(row.person.LastName)
	return nil
}

// fault says what is wrong with a row in view of those before it. Two people with
// one address or one login would become one.
func (i *userImport) fault(row importRow, same bool) string {
	if same {
		person := i.people[len(i.people)-1]
		switch {
		case !sameText(row.person.Email, person.Email), !sameText(row.person.FirstName, person.FirstName),
			!sameText(row.person.LastName, person.LastName), row.person.EmailVerified && !person.EmailVerified:
			return fmt.Sprintf("says something else of the person than line %d; let the rows of one user agree", person.lines[0])
		case len(person.Logins) == socialauth.MaxImportedLogins:
			return fmt.Sprintf("is about a user with more than %d logins", socialauth.MaxImportedLogins)
		}
	}
	type once struct {
		what  string
		parts []string
	}
	uid := row.login.UID
	if address, err := authcore.ParseAddress(uid); err == nil {
		uid = address.Key() // python-social-auth tells two spellings of one apart
	}
	found := []once{{"this login", []string{row.login.Provider, uid, row.login.TransferSub}}}
	if !same && row.user != "" {
		found = append(found, once{"another row of this user, which has to be the one before,", []string{row.user}})
	}
	if !same && row.address != "" {
		found = append(found, once{"another user with this verified address", []string{row.address}})
	}
	for _, one := range found {
		if line := i.seen[authcore.DigestOf("import "+one.what, one.parts...)]; line > 0 {
			return fmt.Sprintf("%s stands in line %d already", one.what, line)
		}
	}
	for _, one := range found {
		i.seen[authcore.DigestOf("import "+one.what, one.parts...)] = row.line
	}
	return ""
}

// sameText reports whether a later row of a person says the same, or nothing.
func sameText(later, first string) bool { return later == "" || later == first }

// send has the server import the batch, and begins another.
func (i *userImport) send() error {
	if len(i.people) == 0 {
		return nil
	}
	request := importRequest{DryRun: i.dry}
	for _, person := range i.people {
		request.Users = append(request.Users, person.importUser)
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	text, err := i.client.ask(http.MethodPost, "import", body)
	if err != nil {
		return err
	}
	var answer importAnswer
	if json.Unmarshal(text, &answer) != nil || len(answer.Users) != len(i.people) {
		return errors.New("the admin API gave an answer that is not about what it was asked")
	}
	for n, person := range i.people {
		i.count(person, answer.Users[n])
	}
	i.people, i.logins, i.bytes = nil, 0, 0
	return nil
}

func (i *userImport) count(person importPerson, result importedUser) {
	i.stored += result.Stored
	i.present += result.Present
	if result.IsNew {
		i.made++
	}
	for n, why := range result.Refused {
		if why != "" && n < len(person.lines) {
			i.refuse(rowError{person.lines[n], why})
		}
	}
	if person.user != "" && result.ID != "" && result.Stored+result.Present > 0 && !i.dry {
		_ = i.ids.Write([]string{person.user, result.ID}) // Flush tells
	}
}
