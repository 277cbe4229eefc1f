package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Query selects entries. Empty fields select all.
type Query struct {
	// User is the ID of the user concerned.
	User string
	// Action is the name of an event.
	Action authcore.EventName
	// From (inclusive) and To (exclusive) match Entry.Time.
	From, To time.Time
	// Limit bounds the entries of one page; see [authcore.RecordFilter].
	Limit int
}

// maxPages limits the pages of records that one search reads.
const maxPages = 20

// Search returns entries, newest first, and the cursor of the next page, which is
// empty at the end. A search for a rare action may return few entries or none before
// the end. Entries that this node has collected are written first.
func (t *Trail) Search(ctx context.Context, query Query, cursor string) ([]Entry, string, error) {
	if err := t.Flush(ctx); err != nil {
		return nil, "", authcore.Unavailable(err)
	}
	filter := authcore.RecordFilter{Kind: Kind, From: query.From, To: query.To}
	if query.User != "" {
		filter.Owner = ownerPrefix + query.User
	}
	limit := authcore.RecordFilter{Limit: query.Limit}.PageSize()
	found := []Entry{}
	for range maxPages {
		filter.Limit = limit - len(found)
		records, next, err := t.cfg.Store.ListRecords(ctx, filter, t.now(), cursor)
		if err != nil {
			return nil, "", authcore.Unavailable(err)
		}
		for _, record := range records {
			var entry Entry
			if json.Unmarshal(record.Data, &entry) == nil && (query.Action == "" || entry.Action == query.Action) {
				found = append(found, entry)
			}
		}
		if cursor = next; cursor == "" || len(found) == limit {
			break
		}
	}
	return found, cursor, nil
}
