package caddymodule

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

func userImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <file>",
		Short: "Imports users of another system, such as python-social-auth",
		Long: `
Asks the admin API of the running server to store users with their logins at
providers, so that they find their accounts when they log in. Users and logins that
exist already are left as they are: the same file can be imported again.

The file, or standard input for "-", is CSV in UTF-8. Its first line names the
columns: provider and uid, or transfer_sub for users of an Apple app that another
team had; user, which is the same for all rows of one user, which are consecutive;
email, email_verified, first_name and last_name.

Standard output receives the column user and the new ID of each user. Rows that
cannot be imported are reported with the reason and left out; then the exit status
is not 0.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Bool("dry-run", false, "Report what would be stored, and store nothing")
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
		run := &socialauth.File{Send: client.importUsers, DryRun: flags.Bool("dry-run"), Report: os.Stderr, IDs: os.Stdout}
		if err := run.Import(file); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

// importUsers sends users to the server.
func (c adminClient) importUsers(request socialauth.Request) (socialauth.Response, error) {
	var response socialauth.Response
	body, err := json.Marshal(request)
	if err != nil {
		return response, err
	}
	text, err := c.ask(http.MethodPost, "import", body)
	if err != nil {
		return response, err
	}
	if json.Unmarshal(text, &response) != nil || len(response.Users) != len(request.Users) {
		return response, errors.New("unexpected response from the admin API")
	}
	return response, nil
}
