package command

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
)

// User returns the command "user" for the people of a realm.
func User(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user <command>",
		Short: "Lists, shows, creates, invites, changes or imports users of the running server",
		Long: `
Asks the admin API of the running server. A user is named by ID or e-mail address.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if the realm has no such user or session, and 1 after another error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addServerFlags(cmd)
	cmd.PersistentFlags().Bool("json", false, "Print one JSON object per line")
	cmd.AddCommand(
		userList(connect), userSearch(connect), userShow(connect), userCreate(connect), userInvite(connect),
		userChange(connect, "disable", "Ends all sessions of a user and refuses new ones"),
		userChange(connect, "enable", "Accepts logins of a disabled user again; ended sessions stay ended"),
		userRole(connect), userDelete(connect), userSessions(connect), userEndSessions(connect),
		userRemoveFactor(connect), userImport(connect),
	)
	return cmd
}

func userShow(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "show <user>", Short: "Shows a user with logins, sessions, passkeys, second factors and API keys", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			return s.showUser(ctx, id)
		}),
	}
}

// showUser prints a user with everything that belongs to it.
func (s server) showUser(ctx context.Context, id string) error {
	var found adminapi.UserDetails
	if err := s.ask(ctx, http.MethodGet, "/users/"+url.PathEscape(id), nil, &found); err != nil {
		return err
	}
	if s.json {
		return s.line(found)
	}
	if err := s.printUser(found.User); err != nil {
		return err
	}
	if len(found.Identities) > 0 {
		fmt.Fprintln(s.out)
		logins := s.table("LOGIN", "SUBJECT", "STATE", "EMAIL", "ADDED")
		for _, identity := range found.Identities {
			logins.row(identity.Provider, identity.Subject, identity.State, verified(identity.Email, identity.EmailVerified), moment(identity.Created))
		}
		if err := logins.flush(); err != nil {
			return err
		}
	}
	if len(found.Sessions) > 0 {
		fmt.Fprintln(s.out)
		if err := s.printSessions(found.Sessions); err != nil {
			return err
		}
	}
	if len(found.Factors) > 0 {
		fmt.Fprintln(s.out)
		factors := s.table("FACTOR", "ID", "NAME", "ADDED", "LAST USED")
		for _, factor := range found.Factors {
			factors.row(factor.Kind, factor.ID, factor.Name, moment(factor.Created), momentOf(factor.LastUsed))
		}
		if err := factors.flush(); err != nil {
			return err
		}
	}
	if len(found.Keys) > 0 {
		fmt.Fprintln(s.out)
		return s.printAPIKeys(keyTitles(), found.Keys)
	}
	return nil
}

func (s server) printUser(user adminapi.User) error {
	return s.fields(
		"id", user.ID, "email", verified(user.Email, user.EmailVerified),
		"name", strings.TrimSpace(user.FirstName+" "+user.LastName), "roles", strings.Join(user.Roles, ", "),
		"state", state(user), "created", moment(user.Created), "last login", momentOf(user.LastLogin),
	)
}

func userChange(connect Connect, operation, short string) *cobra.Command {
	return &cobra.Command{
		Use: operation + " <user>", Short: short, Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			var changed adminapi.User
			if err := s.ask(ctx, http.MethodPost, "/users/"+url.PathEscape(id)+"/"+operation, nil, &changed); err != nil {
				return err
			}
			return s.user(changed)
		}),
	}
}

func userRole(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "role <user> [<role>…]", Short: "Replaces the roles of a user; without a role it removes all", Args: arguments(1, 1+authcore.MaxRoles),
		Example: `  caddy edgeauth user role ann@example.com editor admin`,
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			var changed adminapi.User
			roles := adminapi.Roles{Roles: append([]string{}, args[1:]...)}
			if err := s.ask(ctx, http.MethodPut, "/users/"+url.PathEscape(id)+"/roles", roles, &changed); err != nil {
				return err
			}
			return s.user(changed)
		}),
	}
}

// user prints a user after a change.
func (s server) user(user adminapi.User) error {
	if s.json {
		return s.line(user)
	}
	return s.printUser(user)
}

func userDelete(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "delete <user>", Short: "Deletes a user with all sessions and logins", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			if err := s.ask(ctx, http.MethodDelete, "/users/"+url.PathEscape(id), nil, nil); err != nil {
				return err
			}
			return s.done("deleted", id)
		}),
	}
}

func userRemoveFactor(connect Connect) *cobra.Command {
	return lastIsID(&cobra.Command{
		Use: "remove-factor <user> passkey|totp|recovery <factor>", Args: arguments(3, 3),
		Short:   "Removes a lost passkey or second factor, which user show lists; the user is told by mail",
		Example: `  caddy edgeauth user remove-factor ann@example.com totp 5f8c`,
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			path := "/users/" + url.PathEscape(id) + "/factors/" + url.PathEscape(args[1]) + "/" + url.PathEscape(args[2])
			if err := s.ask(ctx, http.MethodDelete, path, nil, nil); err != nil {
				return err
			}
			return s.done("removed", args[2])
		}),
	})
}

// done reports what happened to an item.
func (s server) done(what, id string) error {
	if s.json {
		return s.line(map[string]string{what: id})
	}
	_, err := fmt.Fprintln(s.out, what, printable(id))
	return err
}

func userSessions(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "sessions <user>", Short: "Lists the sessions of a user", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			var found struct {
				Sessions []adminapi.Session `json:"sessions"`
			}
			if err := s.ask(ctx, http.MethodGet, "/users/"+url.PathEscape(id)+"/sessions", nil, &found); err != nil {
				return err
			}
			return s.printSessions(found.Sessions)
		}),
	}
}

func (s server) printSessions(sessions []adminapi.Session) error {
	if s.json {
		for _, session := range sessions {
			if err := s.line(session); err != nil {
				return err
			}
		}
		return nil
	}
	rows := s.table("SESSION", "METHOD", "CLIENT", "BEGUN", "LAST SEEN", "EXPIRES", "ADDRESS", "BROWSER")
	for _, session := range sessions {
		rows.row(session.ID, session.Method, session.Client, moment(session.Created), moment(session.LastSeen), moment(session.Expires),
			session.IP, session.UserAgent)
	}
	return rows.flush()
}

func userEndSessions(connect Connect) *cobra.Command {
	return &cobra.Command{
		Use: "end-sessions <user> [<session>]", Short: "Ends all sessions and API keys of a user, or one of them", Args: arguments(1, 2),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			id, err := s.userID(ctx, args[0])
			if err != nil {
				return err
			}
			path := "/users/" + url.PathEscape(id) + "/sessions"
			if len(args) > 1 {
				path += "/" + url.PathEscape(args[1])
			}
			if err := s.ask(ctx, http.MethodDelete, path, nil, nil); err != nil {
				return err
			}
			return s.done("ended", args[len(args)-1])
		}),
	}
}

func state(user adminapi.User) string {
	if user.Disabled {
		return "disabled"
	}
	return "enabled"
}

// verified marks an address that does not identify its user.
func verified(email string, isVerified bool) string {
	if email != "" && !isVerified {
		return email + " (not verified)"
	}
	return email
}
