package command

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// Webhook returns the command "webhook" for the webhooks of a realm.
func Webhook(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook list|dead|retry|discard",
		Short: "Shows the state of webhooks and sends dead letters again",
		Long: `
Asks the admin API of the running server. A message that the endpoint refused, or did not
accept for three days, is a dead letter.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if there is no such webhook or message, and 1 after another error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addServerFlags(cmd)
	cmd.PersistentFlags().Bool("json", false, "Print one JSON object per line")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "Lists the webhooks with their waiting messages and dead letters", Args: cobra.NoArgs,
		RunE: connected(connect, func(ctx context.Context, s server, _ []string) error { return s.webhooks(ctx) }),
	}, &cobra.Command{
		Use: "dead <webhook>", Short: "Lists the dead letters of a webhook, the newest first", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error { return s.deadLetters(ctx, args[0]) }),
	}, deadLetter(connect, "retry", "Sends a dead letter again", http.MethodPost, "/retry", "retried"),
		deadLetter(connect, "discard", "Deletes a dead letter", http.MethodDelete, "", "discarded"))
	return cmd
}

// deadLetter returns a command for one dead letter.
func deadLetter(connect Connect, name, short, method, suffix, done string) *cobra.Command {
	return lastIsID(&cobra.Command{
		Use: name + " <webhook> <message>", Short: short, Args: arguments(2, 2),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			path := "/webhooks/" + url.PathEscape(args[0]) + "/dead/" + url.PathEscape(args[1]) + suffix
			if err := s.ask(ctx, method, path, nil, nil); err != nil {
				return err
			}
			return s.done(done, args[1])
		}),
	})
}

func (s server) webhooks(ctx context.Context) error {
	var found adminapi.Webhooks
	if err := s.ask(ctx, http.MethodGet, "/webhooks", nil, &found); err != nil {
		return err
	}
	return printAll(s, []string{"WEBHOOK", "ENDPOINT", "ACTIONS", "WAITING", "OLDEST", "LAST SUCCESS", "DEAD", "ERROR"}, found.Webhooks, func(w webhook.Status) []string {
		return []string{w.ID, w.Endpoint, actionsOf(w.Actions), strconv.Itoa(w.Waiting), moment(w.Oldest), moment(w.LastSuccess), strconv.Itoa(w.Dead), w.Error}
	})
}

func actionsOf(actions []authcore.EventName) string {
	if len(actions) == 0 {
		return "all"
	}
	names := make([]string, len(actions))
	for i, action := range actions {
		names[i] = string(action)
	}
	return strings.Join(names, ",")
}

func (s server) deadLetters(ctx context.Context, id string) error {
	titles := []string{"MESSAGE", "ACTION", "USER", "TIME", "ATTEMPTS", "GIVEN UP", "ERROR"}
	query := url.Values{}
	for {
		var page adminapi.DeadLetters
		if err := s.ask(ctx, http.MethodGet, "/webhooks/"+url.PathEscape(id)+"/dead?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		err := printAll(s, titles, page.Messages, func(m webhook.DeadLetter) []string {
			return []string{m.ID, string(m.Action), m.User, moment(m.Time), strconv.Itoa(m.Attempts), moment(m.Given), m.Error}
		})
		if err != nil || page.Next == "" {
			return err
		}
		titles = nil
		query.Set("cursor", page.Next)
	}
}

// printAll prints a page as a table, or as lines of JSON.
func printAll[T any](s server, titles []string, list []T, cells func(T) []string) error {
	if s.json {
		for _, one := range list {
			if err := s.line(one); err != nil {
				return err
			}
		}
		return nil
	}
	rows := s.table(titles...)
	for _, one := range list {
		rows.row(cells(one)...)
	}
	return rows.flush()
}
