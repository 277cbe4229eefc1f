package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// FeedOptions describe a document of the feed.
type FeedOptions struct {
	Issuer string
	// Issued is the time up to which the copy is complete: what RefreshedAt
	// returned, or earlier.
	Issued, Expires time.Time
	// Since is the result of FeedSince for the client's cursor: the document is a
	// delta from there on, or the full list if it is "".
	Since string
}

// FeedPayloads returns the payloads of a document of the feed: JSON objects, one
// for each part. The issuer signs each for PurposeRevocations and joins the tokens
// by "\n". They are made one after the other, so that they need not be in memory
// together. The cursor of the document is that of Issued.
//
// A document contains what was given to Apply and has not expired by Issued. A
// full list takes about 0.3 µs and 18 bytes for each entry. The error concerns a
// list that is longer than the 16.7 million entries that readers accept, and a
// Since from which no delta can be made.
//
//	since := revocations.FeedSince(cursor, issued)
//	payloads, err := revocations.FeedPayloads(FeedOptions{issuer, issued, expires, since})
//	for payload := range payloads {
//		token, err := ring.SignPublic(PurposeRevocations, payload, now)
//		lines = append(lines, token)
//	}
func (r *Revocations) FeedPayloads(o FeedOptions) (iter.Seq[[]byte], error) {
	var users, sessions []feedEntry
	if o.Since == "" {
		after := o.Issued.Unix() - feedLeeway
		users, sessions = r.users.list(after), r.sessions.list(after)
	} else {
		since, err := strconv.ParseInt(o.Since, 10, 64)
		if err != nil {
			return nil, errors.New("gate: revocation feed: the cursor is malformed")
		}
		r.applying.Lock()
		var ok bool
		users, sessions, ok = r.log.since(since - feedOverlap)
		r.applying.Unlock()
		if !ok {
			return nil, errors.New("gate: revocation feed: the cursor is too old")
		}
	}
	parts := max(1, (len(users)+len(sessions)+maxPartEntries-1)/maxPartEntries)
	if parts > maxFeedParts {
		return nil, fmt.Errorf("gate: revocation feed: %d entries are too many", len(users)+len(sessions))
	}
	return func(yield func([]byte) bool) {
		for part := 1; part <= parts; part++ {
			u := users[:min(len(users), maxPartEntries)]
			s := sessions[:min(len(sessions), maxPartEntries-len(u))]
			if !yield(o.marshal(part, parts, newFeedList(u), newFeedList(s))) {
				return
			}
			users, sessions = users[len(u):], sessions[len(s):]
		}
	}, nil
}

func (o *FeedOptions) marshal(part, parts int, users, sessions feedList) []byte {
	payload, err := json.Marshal(struct {
		Issuer    string `json:"iss"`
		IssuedAt  int64  `json:"iat"`
		ExpiresAt int64  `json:"exp"`
		Cursor    string `json:"cursor"`
		Delta     bool   `json:"delta,omitempty"`
		Since     string `json:"since,omitempty"`
		Part      int    `json:"part"`
		Parts     int    `json:"parts"`
		Users     string `json:"users"`
		Sessions  string `json:"sessions"`
	}{
		o.Issuer, o.Issued.Unix(), o.Expires.Unix(), strconv.FormatInt(o.Issued.Unix(), 10), o.Since != "", o.Since, part, parts,
		encoding.EncodeToString(users), encoding.EncodeToString(sessions),
	})
	if err != nil {
		panic("gate: " + err.Error()) // strings can always be marshalled
	}
	return payload
}
