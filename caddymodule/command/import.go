package command

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

func userImport(connect Connect) *cobra.Command {
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
email, email_verified, first_name, last_name, and roles, which are separated by
blanks and granted to users that are created.

Standard output receives the column user and the new ID of each user. Rows that
cannot be imported are reported with the reason and left out; then the exit status
is not 0.`,
		Args: arguments(1, 1),
	}
	dry := cmd.Flags().Bool("dry-run", false, "Report what would be stored, and store nothing")
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		file := cmd.InOrStdin()
		if name := args[0]; name != "-" {
			opened, err := os.Open(name) //nolint:gosec // the operator named it
			if err != nil {
				return err
			}
			defer func() { _ = opened.Close() }()
			file = opened
		}
		run := &socialauth.File{
			Send:   func(request socialauth.Request) (socialauth.Response, error) { return s.importUsers(ctx, request) },
			DryRun: *dry, Report: cmd.ErrOrStderr(), IDs: s.out,
		}
		return run.Import(file)
	})
	return cmd
}

// importUsers sends users to the server.
func (s server) importUsers(ctx context.Context, request socialauth.Request) (socialauth.Response, error) {
	var response socialauth.Response
	if err := s.ask(ctx, http.MethodPost, "/import", request, &response); err != nil {
		return response, err
	}
	if len(response.Users) != len(request.Users) {
		return response, errors.New("unexpected response from the admin API")
	}
	return response, nil
}
