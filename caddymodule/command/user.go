package command

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
)

// User returns the command "user" for the people of a realm.
func User(connect Connect) *cobra.Command {
	return group(&cobra.Command{
		Use:   "user <command>",
		Short: "Lists, shows, creates, invites, changes or imports users of the running server",
		Long: `
Asks the admin API of the running server. A user is named by ID or e-mail address.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if the realm has no such user or session, and 1 after another error.`,
	},
		userList(connect), userSearch(connect), userShow(connect), userCreate(connect), userInvite(connect),
		userChange(connect, "disable", "Ends all sessions of a user and refuses new ones"),
		userChange(connect, "enable", "Accepts logins of a disabled user again; ended sessions stay ended"),
		userRole(connect), userDelete(connect), userSessions(connect), userEndSessions(connect),
		userRemoveFactor(connect), userImport(connect),
	)
}

// onUser is connected for commands whose first argument names a user. The function
// receives the ID of the user and the other arguments.
func onUser(connect Connect, perform func(ctx context.Context, s server, id string, args []string) error) func(*cobra.Command, []string) error {
	return connected(connect, func(ctx context.Context, s server, args []string) error {
		id, err := s.userID(ctx, args[0])
		if err != nil {
			return err
		}
		return perform(ctx, s, id, args[1:])
	})
}

func userShow(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "show <user>", Short: "Shows a user with logins, sessions, passkeys, second factors and API keys", Args: arguments(1, 1),
		RunE: onUser(connect, func(ctx context.Context, s server, id string, _ []string) error {
			var found adminapi.UserDetails
			if err := s.ask(ctx, http.MethodGet, pathOf("users", id), nil, &found); err != nil {
				return err
			}
			if s.json {
				return s.line(found)
			}
			return s.printDetails(found)
		}),
	}
}

// printDetails prints a user with tables of what belongs to it.
func (s server) printDetails(found adminapi.UserDetails) error {
	if err := s.printUser(found.User); err != nil {
		return err
	}
	if err := printSection(s, logins(), found.Identities); err != nil {
		return err
	}
	if err := printSection(s, sessions(), found.Sessions); err != nil {
		return err
	}
	if err := printSection(s, factors(), found.Factors); err != nil {
		return err
	}
	return printSection(s, apiKeys(), found.Keys)
}

// printSection prints a table after an empty line, unless there are no items.
func printSection[T any](s server, columns columns[T], items []T) error {
	if len(items) == 0 {
		return nil
	}
	fmt.Fprintln(s.out)
	return printAll(s, columns, items)
}

func logins() columns[adminapi.Identity] {
	return columns[adminapi.Identity]{
		titles: []string{"LOGIN", "SUBJECT", "STATE", "EMAIL", "ADDED"},
		cells: func(i adminapi.Identity) []string {
			return []string{i.Provider, i.Subject, i.State, verified(i.Email, i.EmailVerified), moment(i.Created)}
		},
	}
}

func sessions() columns[adminapi.Session] {
	return columns[adminapi.Session]{
		titles: []string{"SESSION", "METHOD", "CLIENT", "BEGUN", "LAST SEEN", "EXPIRES", "ADDRESS", "BROWSER"},
		cells: func(s adminapi.Session) []string {
			return []string{s.ID, s.Method, s.Client, moment(s.Created), moment(s.LastSeen), moment(s.Expires), s.IP, s.UserAgent}
		},
	}
}

func factors() columns[adminapi.Factor] {
	return columns[adminapi.Factor]{
		titles: []string{"FACTOR", "ID", "NAME", "ADDED", "LAST USED"},
		cells: func(f adminapi.Factor) []string {
			return []string{f.Kind, f.ID, f.Name, moment(f.Created), momentOf(f.LastUsed)}
		},
	}
}

// changeUser sends a change of a user and prints the user after it.
func (s server) changeUser(ctx context.Context, method, path string, body any) error {
	var changed adminapi.User
	if err := s.ask(ctx, method, path, body, &changed); err != nil {
		return err
	}
	return s.printUser(changed)
}

func (s server) printUser(user adminapi.User) error {
	return s.fields(
		user,
		"id", user.ID, "email", verified(user.Email, user.EmailVerified),
		"name", fullName(user.FirstName, user.LastName), "roles", strings.Join(user.Roles, ", "),
		"state", state(user), "created", moment(user.Created), "last login", momentOf(user.LastLogin),
	)
}

func userChange(connect Connect, operation, short string) *cobra.Command {
	return &cobra.Command{
		Use: operation + " <user>", Short: short, Args: arguments(1, 1),
		RunE: onUser(connect, func(ctx context.Context, s server, id string, _ []string) error {
			return s.changeUser(ctx, http.MethodPost, pathOf("users", id, operation), nil)
		}),
	}
}

func userRole(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "role <user> [<role>…]", Short: "Replaces the roles of a user; without a role it removes all", Args: arguments(1, 1+authcore.MaxRoles),
		Example: `  caddy edgeauth user role ann@example.com editor admin`,
		RunE: onUser(connect, func(ctx context.Context, s server, id string, roles []string) error {
			return s.changeUser(ctx, http.MethodPut, pathOf("users", id, "roles"), adminapi.Roles{Roles: append([]string{}, roles...)})
		}),
	}
}

func userDelete(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "delete <user>", Short: "Deletes a user with all sessions and logins", Args: arguments(1, 1),
		RunE: onUser(connect, func(ctx context.Context, s server, id string, _ []string) error {
			return s.perform(ctx, http.MethodDelete, pathOf("users", id), "deleted", id)
		}),
	}
}

func userRemoveFactor(connect Connect) *cobra.Command {
	return lastIsID(&cobra.Command{
		Use: "remove-factor <user> passkey|totp|recovery <factor>", Args: arguments(3, 3),
		Short:   "Removes a lost passkey or second factor, which user show lists; the user is told by mail",
		Example: `  caddy edgeauth user remove-factor ann@example.com totp 5f8c`,
		RunE: onUser(connect, func(ctx context.Context, s server, id string, args []string) error {
			return s.perform(ctx, http.MethodDelete, pathOf("users", id, "factors", args[0], args[1]), "removed", args[1])
		}),
	})
}

func userSessions(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "sessions <user>", Short: "Lists the sessions of a user", Args: arguments(1, 1),
		RunE: onUser(connect, func(ctx context.Context, s server, id string, _ []string) error {
			var found struct {
				Sessions []adminapi.Session `json:"sessions"`
			}
			if err := s.ask(ctx, http.MethodGet, pathOf("users", id, "sessions"), nil, &found); err != nil {
				return err
			}
			return printAll(s, sessions(), found.Sessions)
		}),
	}
}

func userEndSessions(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "end-sessions <user> [<session>]", Short: "Ends all sessions and API keys of a user, or one of them", Args: arguments(1, 2),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			segments := append([]string{"users", id, "sessions"}, args[1:]...)
			return s.perform(ctx, http.MethodDelete, pathOf(segments...), "ended", args[len(args)-1])
		}),
	}
}

func state(user adminapi.User) string {
	if user.Disabled {
		return "disabled"
	}
	return "enabled"
}

func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// verified marks an address that does not identify its user.
func verified(email string, isVerified bool) string {
	if email != "" && !isVerified {
		return email + " (not verified)"
	}
	return email
}
