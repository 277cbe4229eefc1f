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
	return group(&cobra.Command{
		Use:   "webhook list|dead|retry|discard",
		Short: "Shows the state of webhooks and sends dead letters again",
		Long: `
Asks the admin API of the running server. A message that the endpoint refused, or did not
accept for three days, is a dead letter.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if there is no such webhook or message, and 1 after another error.`,
	}, &cobra.Command{
		Use: "list", Short: "Lists the webhooks with their waiting messages and dead letters", Args: cobra.NoArgs,
		RunE: connected(connect, func(ctx context.Context, s server, _ []string) error {
			var found adminapi.Webhooks
			if err := s.ask(ctx, http.MethodGet, "/webhooks", nil, &found); err != nil {
				return err
			}
			return printAll(s, webhooks(), found.Webhooks)
		}),
	}, &cobra.Command{
		Use: "dead <webhook>", Short: "Lists the dead letters of a webhook, the newest first", Args: arguments(1, 1),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			return printPages(s, deadLetters(), func(cursor string) ([]webhook.DeadLetter, string, error) {
				var page adminapi.DeadLetters
				err := s.ask(ctx, http.MethodGet, pathOf("webhooks", args[0], "dead")+"?cursor="+url.QueryEscape(cursor), nil, &page)
				return page.Messages, page.Next, err
			})
		}),
	}, deadLetter(connect, "retry", "Sends a dead letter again", http.MethodPost, "/retry", "retried"),
		deadLetter(connect, "discard", "Deletes a dead letter", http.MethodDelete, "", "discarded"))
}

// deadLetter returns a command for one dead letter.
func deadLetter(connect Connect, name, short, method, suffix, done string) *cobra.Command {
	return lastIsID(&cobra.Command{
		Use: name + " <webhook> <message>", Short: short, Args: arguments(2, 2),
		RunE: connected(connect, func(ctx context.Context, s server, args []string) error {
			return s.perform(ctx, method, pathOf("webhooks", args[0], "dead", args[1])+suffix, done, args[1])
		}),
	})
}

func webhooks() columns[webhook.Status] {
	return columns[webhook.Status]{
		titles: []string{"WEBHOOK", "ENDPOINT", "ACTIONS", "WAITING", "OLDEST", "LAST SUCCESS", "DEAD", "ERROR"},
		cells: func(w webhook.Status) []string {
			return []string{w.ID, w.Endpoint, actionsOf(w.Actions), strconv.Itoa(w.Waiting), moment(w.Oldest), moment(w.LastSuccess), strconv.Itoa(w.Dead), w.Error}
		},
	}
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

func deadLetters() columns[webhook.DeadLetter] {
	return columns[webhook.DeadLetter]{
		titles: []string{"MESSAGE", "ACTION", "USER", "TIME", "ATTEMPTS", "GIVEN UP", "ERROR"},
		cells: func(m webhook.DeadLetter) []string {
			return []string{m.ID, string(m.Action), m.User, moment(m.Time), strconv.Itoa(m.Attempts), moment(m.Given), m.Error}
		},
	}
}
