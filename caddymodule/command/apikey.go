package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
)

// APIKey returns the command "api-key" for the API keys of users and service accounts.
func APIKey(connect Connect) *cobra.Command {
	return group(&cobra.Command{
		Use:   "api-key list|create|revoke",
		Short: "Lists, creates or revokes API keys of the running server",
		Long: `
Asks the admin API of the running server. A user is named by ID or e-mail address. The
realm needs the option api_keys for "create".

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if there is no such user or key, and 1 after another error.`,
	}, &cobra.Command{
		Use: "list [<user>]", Short: "Lists the API keys of all users or of one, the newest first", Args: arguments(0, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error { return s.listKeys(ctx, args) }),
	}, apiKeyCreate(connect), &cobra.Command{
		Use: "revoke <id>", Short: "Ends an API key", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			return s.perform(ctx, http.MethodDelete, pathOf("api-keys", args[0]), "revoked", args[0])
		}),
	})
}

func apiKeyCreate(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "create <user>|--service <name>", Short: "Creates an API key and prints it once", Args: arguments(0, 1),
		Long: `
Creates an API key of a user, or of a service account, which is created with the roles of
the key if it does not exist. The line "secret" is the key. It is not stored, and no other
command prints it.`,
		Example: `  caddy edgeauth api-key create ann@example.com --name ci --role deploy --expires-in 90d
  caddy edgeauth api-key create --service "deploy bot" --name ci --expires-in 90d --json`,
	}
	service := cmd.Flags().String("service", "", "Name of a service account, instead of a user")
	name := cmd.Flags().String("name", "", "Name of the key (required)")
	roles := cmd.Flags().StringSlice("role", nil, "Role of the key; may be repeated (default: none)")
	lifetime := cmd.Flags().String("expires-in", "", "Lifetime up to 366d, for example 90d or 12h (required)")
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		switch {
		case (*service != "") == (len(args) == 1):
			return errors.New("create: name one user, or write --service <name>")
		case *name == "":
			return errors.New("--name: give the key a name")
		}
		parsed, err := parseLifetime(*lifetime)
		if err != nil {
			return fmt.Errorf("--expires-in: %w", err)
		}
		body := adminapi.APIKeyRequest{Service: *service, Name: *name, Roles: *roles, ExpiresIn: int64(parsed / time.Second)}
		if len(args) == 1 {
			if body.User, err = s.userID(ctx, args[0]); err != nil {
				return err
			}
		}
		var created adminapi.APIKey
		if err := s.ask(ctx, http.MethodPost, "/api-keys", body, &created); err != nil {
			return err
		}
		return s.fields(
			created,
			"id", created.ID, "user", created.User, "name", created.Name, "roles", strings.Join(created.Roles, ", "),
			"expires", moment(created.Expires), "secret", created.Secret,
		)
	})
	return cmd
}

// listKeys prints the keys of all users page by page, or those of the user in args.
func (s server) listKeys(ctx context.Context, args []string) error {
	query := url.Values{}
	if len(args) == 1 {
		id, err := s.userID(ctx, args[0])
		if err != nil {
			return err
		}
		if err := s.ask(ctx, http.MethodGet, pathOf("users", id), nil, nil); err != nil { // tells no user from no key
			return err
		}
		query.Set("user", id)
	}
	return printPages(s, apiKeys(), func(cursor string) ([]adminapi.APIKey, string, error) {
		var page adminapi.APIKeys
		query.Set("cursor", cursor)
		err := s.ask(ctx, http.MethodGet, "/api-keys?"+query.Encode(), nil, &page)
		return page.Keys, page.Next, err
	})
}

func apiKeys() columns[adminapi.APIKey] {
	return columns[adminapi.APIKey]{
		titles: []string{"API KEY", "USER", "NAME", "ROLES", "CREATED", "EXPIRES", "LAST USED"},
		cells: func(k adminapi.APIKey) []string {
			return []string{k.ID, k.User, k.Name, strings.Join(k.Roles, ","), moment(k.Created), moment(k.Expires), moment(k.LastUsed)}
		},
	}
}
