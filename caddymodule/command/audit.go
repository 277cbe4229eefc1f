package command

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore/audit"
)

// Audit returns the command "audit" for the audit trail of a realm.
func Audit(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Searches the audit trail of the running server",
		Long: `
Asks the admin API of the running server for entries of the audit trail, the newest first.
The realm needs the option audit. A user is named by ID or e-mail address; use the ID of a
deleted user.

Times are dates such as 2026-03-01 or in the form of RFC 3339; "from" is included, "to"
is not. Tables are for people; --json prints one JSON object per line for programs. The
exit status is 4 if the realm has no audit trail or there is no such user, and 1 after
another error.`,
		Example: `  caddy edgeauth audit --user ann@example.com
  caddy edgeauth audit --action user_deleted --from 2026-03-01 --all --json`,
		Args: cobra.NoArgs,
	}
	addServerFlags(cmd)
	flags := cmd.Flags()
	user := flags.String("user", "", "User whom the entries are about")
	action := flags.String("action", "", "Action, for example login or user_disabled")
	flags.String("from", "", "Earliest time")
	flags.String("to", "", "Time before which the entries were made")
	flags.Int("limit", listRows, "Most entries to print")
	flags.Bool("all", false, "Print all entries, page by page")
	flags.Bool("json", false, "Print one JSON object per line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		search := adminapi.AuditSearch{Action: *action}
		if err := readTimes(cmd, map[string]*time.Time{"from": &search.From, "to": &search.To}); err != nil {
			return err
		}
		limit, err := readLimit(cmd)
		if err != nil {
			return err
		}
		return connected(connect, func(ctx context.Context, s server, _ []string) (err error) {
			if search.User, err = s.userID(ctx, *user); err != nil {
				return err
			}
			return printFound(s, "entries", entries(), limit, func(cursor string, rows int) ([]audit.Entry, string, error) {
				var page adminapi.AuditEntries
				search.Cursor, search.Limit = cursor, rows
				err := s.ask(ctx, http.MethodPost, "/audit/search", search, &page)
				return page.Entries, page.Next, err
			})
		})(cmd, args)
	}
	return cmd
}

func entries() columns[audit.Entry] {
	return columns[audit.Entry]{
		titles: []string{"TIME", "ACTION", "OUTCOME", "ACTOR", "USER", "CLIENT", "METHOD", "FROM", "DETAIL"},
		cells: func(e audit.Entry) []string {
			return []string{moment(e.Time), string(e.Action), e.Outcome, actorOf(&e), e.User, e.Client, e.Method, e.IP, detailOf(&e)}
		},
	}
}

// actorOf returns who acted: the name of an operator, or the kind of another party.
func actorOf(e *audit.Entry) string {
	if e.Actor != audit.ActorOperator {
		return string(e.Actor)
	}
	return strings.TrimSpace("operator " + e.ActorID)
}

func detailOf(e *audit.Entry) string {
	parts := []string{string(e.Code), e.Detail, e.Email}
	if e.Count > 0 {
		parts = append(parts, strconv.Itoa(e.Count)+" times")
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
