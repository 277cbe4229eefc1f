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
	var lists feedLists
	if o.Since == "" {
		after := o.Issued.Unix() - feedLeeway
		lists = feedLists{r.users.list(after), r.sessions.list(after), r.roles.list(after)}
	} else {
		since, err := strconv.ParseInt(o.Since, 10, 64)
		if err != nil {
			return nil, errors.New("gate: revocation feed: the cursor is malformed")
		}
		r.applying.Lock()
		var ok bool
		lists, ok = r.log.since(since-feedOverlap, &r.roles)
		r.applying.Unlock()
		if !ok {
			return nil, errors.New("gate: revocation feed: the cursor is too old")
		}
	}
	parts := lists.parts()
	if parts > maxFeedParts {
		return nil, fmt.Errorf("gate: revocation feed: %d entries are too many", lists.len())
	}
	return func(yield func([]byte) bool) {
		rest := lists
		for part := 1; part <= parts; part++ {
			if !yield(o.marshal(part, parts, rest.next())) {
				return
			}
		}
	}, nil
}

// feedLists are the entries of a document, or of a part of it.
type feedLists struct {
	users, sessions []feedEntry
	roles           []roleChange
}

func (l *feedLists) len() int { return len(l.users) + len(l.sessions) + len(l.roles) }

// parts returns the number of parts.
func (l *feedLists) parts() int {
	n := 0
	for rest := *l; n == 0 || rest.len() > 0; n++ {
		rest.next()
	}
	return n
}

// next removes the entries of the next part and returns them.
func (l *feedLists) next() feedLists {
	room := maxPartEntries
	var part feedLists
	n := min(len(l.users), room)
	part.users, l.users, room = l.users[:n], l.users[n:], room-n
	n = min(len(l.sessions), room)
	part.sessions, l.sessions, room = l.sessions[:n], l.sessions[n:], room-n
	for n = 0; n < len(l.roles) && l.roles[n].feedUnits() <= room; n++ {
		room -= l.roles[n].feedUnits()
	}
	part.roles, l.roles = l.roles[:n], l.roles[n:]
	return part
}

func (o *FeedOptions) marshal(part, parts int, lists feedLists) []byte {
	var roles []byte
	for i := range lists.roles {
		roles = lists.roles[i].appendTo(roles)
	}
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
		Roles     string `json:"roles"`
	}{
		o.Issuer, o.Issued.Unix(), o.Expires.Unix(), strconv.FormatInt(o.Issued.Unix(), 10), o.Since != "", o.Since, part, parts,
		encoding.EncodeToString(newFeedList(lists.users)), encoding.EncodeToString(newFeedList(lists.sessions)), encoding.EncodeToString(roles),
	})
	if err != nil {
		panic("gate: " + err.Error()) // strings can always be marshalled
	}
	return payload
}
