package command

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
)

func userCreate(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "create <address>", Short: "Creates a user, who can then log in by mail or through a provider", Args: arguments(1, 1),
		Long: `
Creates a user with a verified address: you vouch for it. The user logs in with a link to
the address, or through a provider that verifies it, whatever the option signup is. No
mail is sent; see also "user invite".`,
		Example: `  caddy edgeauth user create ann@example.com --first-name Ann --role editor`,
	}
	read := newUserFlags(cmd)
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		return s.changeUser(ctx, http.MethodPost, "/users", read(args[0]))
	})
	return cmd
}

// newUserFlags adds the flags of a new user and returns a function that reads them.
func newUserFlags(cmd *cobra.Command) func(email string) account.NewUser {
	first := cmd.Flags().String("first-name", "", "First name")
	last := cmd.Flags().String("last-name", "", "Last name")
	roles := cmd.Flags().StringSlice("role", nil, "Role; may be repeated")
	return func(email string) account.NewUser {
		return account.NewUser{Email: email, FirstName: *first, LastName: *last, Roles: *roles}
	}
}

func userInvite(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "invite <address>", Short: "Mails a link with which a new user signs up", Args: arguments(1, 1),
		Long: `
Mails a link with which the owner of the address signs up, whatever the option signup is.
A login through a provider that verifies the address accepts the invitation, too. A
further invitation of the address replaces the former one and its link. See also
"invitation revoke".`,
		Example: `  caddy edgeauth user invite ann@example.com --role editor --expires-in 3d --locale de`,
	}
	read := newUserFlags(cmd)
	lifetime := cmd.Flags().String("expires-in", "", "Lifetime, for example 3d or 12h (default: the option invitation_lifetime)")
	locale := cmd.Flags().String("locale", "", "Language of the mail, for example de")
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		body := adminapi.InvitationRequest{NewUser: read(args[0]), Locale: *locale}
		if *lifetime != "" {
			parsed, err := parseLifetime(*lifetime)
			if err != nil {
				return fmt.Errorf("--expires-in: %w", err)
			}
			body.ExpiresIn = int64(parsed / time.Second)
		}
		var invited login.Invitation
		if err := s.ask(ctx, http.MethodPost, "/invitations", body, &invited); err != nil {
			return err
		}
		return s.invitation(invited)
	})
	return cmd
}

// parseLifetime parses a duration, which may be in days.
func parseLifetime(text string) (time.Duration, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if parsed, err := time.ParseDuration(text); err == nil && parsed >= time.Second {
		return parsed, nil
	}
	return 0, fmt.Errorf("%q is not a duration; write for example 3d or 12h", text)
}

func (s server) invitation(invited login.Invitation) error {
	fields := []string{
		"id", invited.ID, "email", invited.Email, "name", fullName(invited.FirstName, invited.LastName),
		"roles", strings.Join(invited.Roles, ", "), "expires", moment(invited.Expires),
	}
	if invited.DebugLink != "" {
		fields = append(fields, "link", invited.DebugLink)
	}
	return s.fields(invited, fields...)
}

// Invitation returns the command "invitation" for invitations that were not accepted yet.
func Invitation(connect Connect) *cobra.Command {
	return group(&cobra.Command{
		Use:   "invitation <command>",
		Short: "Lists or withdraws invitations of the running server",
		Long: `
Asks the admin API of the running server. "user invite" invites a user.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if there is no such invitation, and 1 after another error.`,
	}, &cobra.Command{
		Use: "list", Short: "Lists invitations that were not accepted yet, the newest first", Args: cobra.NoArgs,
		RunE: connected(connect, func(ctx context.Context, s server, _ []string) error {
			return printPages(s, invitations(), func(cursor string) ([]login.Invitation, string, error) {
				var page adminapi.Invitations
				err := s.ask(ctx, http.MethodGet, "/invitations?cursor="+url.QueryEscape(cursor), nil, &page)
				return page.Invitations, page.Next, err
			})
		}),
	}, lastIsID(&cobra.Command{
		Use: "revoke <id>", Short: "Withdraws an invitation; its link ends", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			return s.perform(ctx, http.MethodDelete, pathOf("invitations", args[0]), "revoked", args[0])
		}),
	}))
}

func invitations() columns[login.Invitation] {
	return columns[login.Invitation]{
		titles: []string{"ID", "EMAIL", "NAME", "ROLES", "INVITED", "EXPIRES", "BY"},
		cells: func(i login.Invitation) []string {
			return []string{
				i.ID, i.Email, fullName(i.FirstName, i.LastName), strings.Join(i.Roles, ","),
				moment(i.Created), moment(i.Expires), i.By,
			}
		},
	}
}
