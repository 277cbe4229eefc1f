package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
)

// The page that list asks for: as many rows as a person reads, or as many as the
// server returns.
const (
	listRows = 100
	pageRows = 1000
)

func userList(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Lists users", Args: cobra.NoArgs,
		Long: `
Lists users, ordered by ID, or by address with --prefix. Times are dates such as
2026-03-01 or in the form of RFC 3339; "from" is included, "to" is not.`,
		Example: `  caddy edgeauth user list --domain example.com --role admin
  caddy edgeauth user list --all --json > users.jsonl`,
	}
	addFilterFlags(cmd)
	cmd.Flags().String("prefix", "", "Beginning of the verified address")
	cmd.Flags().String("domain", "", "Domain of the verified address")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		filter, err := readFilter(cmd)
		if err != nil {
			return err
		}
		filter.EmailPrefix, filter.Domain = cmd.Flag("prefix").Value.String(), cmd.Flag("domain").Value.String()
		return runList(connect, cmd, args, filter)
	}
	return cmd
}

func userSearch(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "search <text>", Short: "Finds users by the beginning or the domain of the address", Args: arguments(1, 1),
		Example: `  caddy edgeauth user search ann
  caddy edgeauth user search @example.com --state disabled`,
	}
	addFilterFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		filter, err := readFilter(cmd)
		if err != nil {
			return err
		}
		if domain, is := strings.CutPrefix(args[0], "@"); is {
			filter.Domain = domain
		} else {
			filter.EmailPrefix = args[0]
		}
		return runList(connect, cmd, args, filter)
	}
	return cmd
}

func addFilterFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.String("role", "", "Role that the users have")
	flags.String("state", "", "State: enabled or disabled")
	flags.String("created-from", "", "Earliest time of creation")
	flags.String("created-to", "", "Time before which the users were created")
	flags.String("last-login-from", "", "Earliest time of the last login")
	flags.String("last-login-to", "", "Time before which the last login was")
	flags.Int("limit", listRows, "Most users to print")
	flags.Bool("all", false, "Print all users, page by page")
}

// readFilter reads the flags of addFilterFlags.
func readFilter(cmd *cobra.Command) (adminapi.Search, error) {
	filter := adminapi.Search{Role: cmd.Flag("role").Value.String()}
	switch text := cmd.Flag("state").Value.String(); text {
	case "":
	case "enabled", "disabled":
		disabled := text == "disabled"
		filter.Disabled = &disabled
	default:
		return filter, fmt.Errorf("--state: %q is not valid; use enabled or disabled", text)
	}
	return filter, readTimes(cmd, map[string]*time.Time{
		"created-from": &filter.CreatedFrom, "created-to": &filter.CreatedTo,
		"last-login-from": &filter.LastLoginFrom, "last-login-to": &filter.LastLoginTo,
	})
}

// readTimes reads flags whose values are times.
func readTimes(cmd *cobra.Command, flags map[string]*time.Time) error {
	for flag, into := range flags {
		text := cmd.Flag(flag).Value.String()
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			at, err = time.ParseInLocation(time.DateOnly, text, time.Local) //nolint:gosmopolitan // operators write local dates
		}
		if err != nil {
			return fmt.Errorf("--%s: %q is not a time; write for example 2026-03-01", flag, text)
		}
		*into = at
	}
	return nil
}

// runList prints the users that match a filter.
func runList(connect Connect, cmd *cobra.Command, args []string, filter adminapi.Search) error {
	limit, err := readLimit(cmd)
	if err != nil {
		return err
	}
	return connected(connect, func(ctx context.Context, s server, _ []string) error {
		return printFound(s, "users", users(), limit, func(cursor string, rows int) ([]adminapi.User, string, error) {
			var page adminapi.Users
			filter.Cursor, filter.Limit = cursor, rows
			err := s.ask(ctx, http.MethodPost, "/users/search", filter, &page)
			return page.Users, page.Next, err
		})
	})(cmd, args)
}

func users() columns[adminapi.User] {
	return columns[adminapi.User]{
		titles: []string{"ID", "EMAIL", "NAME", "ROLES", "STATE", "CREATED", "LAST LOGIN"},
		cells: func(u adminapi.User) []string {
			return []string{
				u.ID, verified(u.Email, u.EmailVerified), fullName(u.FirstName, u.LastName),
				strings.Join(u.Roles, ","), state(u), moment(u.Created), momentOf(u.LastLogin),
			}
		},
	}
}

// readLimit reads the flags --limit and --all; 0 means all.
func readLimit(cmd *cobra.Command) (int, error) {
	limit, err := cmd.Flags().GetInt("limit")
	if err != nil {
		return 0, err
	}
	all, err := cmd.Flags().GetBool("all")
	switch {
	case err != nil:
		return 0, err
	case all && cmd.Flags().Changed("limit"):
		return 0, errors.New("--all and --limit exclude each other; use one of them")
	case limit < 1:
		return 0, fmt.Errorf("--limit: %d is not valid; use a positive number", limit)
	case all:
		limit = 0
	}
	return limit, nil
}
