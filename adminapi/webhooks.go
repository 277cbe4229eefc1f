package adminapi

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// Webhooks is the state of the webhooks of a realm.
type Webhooks struct {
	Webhooks []webhook.Status `json:"webhooks"`
}

// DeadLetters is a page of messages that were given up, the newest first. Next is the
// cursor of the next page, or "" at the end.
type DeadLetters struct {
	Messages []webhook.DeadLetter `json:"messages"`
	Next     string               `json:"next"`
}

// onWebhooks refuses a request if the realm has no audit trail.
func onWebhooks(perform operation) operation {
	return func(c *call) (any, error) {
		if c.realm.Webhooks == nil {
			return nil, noTrail()
		}
		return perform(c)
	}
}

// noTrail is the error of a request for a realm without an audit trail.
func noTrail() *authcore.Error {
	return notFound("The realm has no audit trail. Add the option audit to its configuration.")
}

func retryDead(c *call) (any, error) {
	return c.onDead(authcore.EventWebhookRetried, c.realm.Webhooks.Retry)
}

func discardDead(c *call) (any, error) {
	return c.onDead(authcore.EventWebhookDiscarded, c.realm.Webhooks.Discard)
}

// onDead performs an operation on a dead letter and reports it as an event.
func (c *call) onDead(name authcore.EventName, perform func(ctx context.Context, endpoint, message string) error) (any, error) {
	id := c.PathValue("message")
	err := perform(c.Context(), c.PathValue("webhook"), id)
	if err == nil {
		c.realm.Observe(c.Context(), authcore.Event{Name: name, Detail: id})
	}
	return nil, err
}

func showWebhooks(c *call) (any, error) {
	states, err := c.realm.Webhooks.Status(c.Context())
	return Webhooks{Webhooks: states}, err
}

func listDead(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	messages, next, err := c.realm.Webhooks.DeadLetters(c.Context(), c.PathValue("webhook"), limit, c.URL.Query().Get("cursor"))
	return DeadLetters{Messages: messages, Next: next}, err
}
