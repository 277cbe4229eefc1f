package adminapi

import (
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
)

// AuditSearch selects entries of the audit trail. Empty fields select all.
type AuditSearch struct {
	// User is the ID of the user concerned.
	User string `json:"user,omitempty"`
	// Action is the name of an event, for example "login".
	Action string `json:"action,omitempty"`
	// From (inclusive) and To (exclusive) match the time of an entry.
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Limit  int       `json:"limit,omitempty"`
	Cursor string    `json:"cursor,omitempty"`
}

// AuditEntries is a page of entries, the newest first. Next is the cursor of the next
// page, or "" at the end. A page may contain few entries or none before the end.
type AuditEntries struct {
	Entries []audit.Entry `json:"entries"`
	Next    string        `json:"next"`
}

func searchAudit(c *call) (any, error) {
	if c.realm.Audit == nil {
		return nil, noTrail()
	}
	var search AuditSearch
	if err := c.read(&search, `{"user": "…", "action": "…", "from": "…", "to": "…", "limit": 100, "cursor": "…"}`); err != nil {
		return nil, err
	}
	switch {
	case search.Limit < 0:
		return nil, invalid("limit: use a positive number.")
	case search.Action != "" && !authcore.EventName(search.Action).IsKnown():
		return nil, invalid("action: there is no such action; use a name such as login or user_disabled.")
	}
	entries, next, err := c.realm.Audit.Search(c.Context(), audit.Query{
		User: search.User, Action: authcore.EventName(search.Action), From: search.From, To: search.To, Limit: search.Limit,
	}, search.Cursor)
	return AuditEntries{Entries: entries, Next: next}, err
}
