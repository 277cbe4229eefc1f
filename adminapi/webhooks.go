package adminapi

import (
	"net/http"

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

func (a *api) addWebhooks() {
	a.handle("GET /webhooks", onWebhooks(showWebhooks))
	a.handle("GET /webhooks/{webhook}/dead", onWebhooks(listDead))
	a.handle("POST /webhooks/{webhook}/dead/{message}/retry", onWebhooks(func(c *call) (any, error) {
		id := c.PathValue("message")
		return nil, c.observed(authcore.EventWebhookRetried, id, c.realm.Webhooks.Retry(c.Context(), c.PathValue("webhook"), id))
	}))
	a.handle("DELETE /webhooks/{webhook}/dead/{message}", onWebhooks(func(c *call) (any, error) {
		id := c.PathValue("message")
		return nil, c.observed(authcore.EventWebhookDiscarded, id, c.realm.Webhooks.Discard(c.Context(), c.PathValue("webhook"), id))
	}))
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
	return &authcore.Error{
		Status: http.StatusNotFound, Code: authcore.CodeNotFound,
		Detail: "The realm has no audit trail. Add the option audit to its configuration.",
	}
}

// observed reports an event unless err is set, and returns err.
func (c *call) observed(name authcore.EventName, detail string, err error) error {
	if err == nil {
		c.realm.Observe(c.Context(), authcore.Event{Name: name, Detail: detail})
	}
	return err
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
