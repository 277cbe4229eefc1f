package redis

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// feedPage bounds the entries that one step reads, because other calls wait for it.
const feedPage = 1000

// RevocationsSince reads the feed. See [authcore.Revocations]. A cursor is the
// number of an entry and the history of the data that the number belongs to. With
// another history or a number that was not given out, entries may have been lost and
// their numbers used again: such a caller gets everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	for {
		seen, history, _ := strings.Cut(cursor, "@")
		if number, err := strconv.ParseUint(seen, 10, 53); err != nil || strconv.FormatUint(number, 10) != seen {
			seen, history = "0", ""
		}
		// A replica returns one element.
		answer, err := s.elements(ctx, 5, "feed", []string{s.key("meta")}, s.prefix, history, seen, strconv.Itoa(feedPage))
		if err != nil {
			return nil, "", err
		}
		head := texts(answer)
		cursor = head[1] + "@" + head[0]
		entries := decodeRevocations(texts(answer[4]), answer[3])
		if len(entries) > 0 || answer[2] == int64(1) {
			return entries, cursor, nil
		}
	}
}

// decodeRevocations reads entries: number, time of the entry in milliseconds, JSON.
func decodeRevocations(entries []string, now any) []authcore.Revocation {
	var all []authcore.Revocation
	clock, _ := now.(int64)
	for _, entry := range entries {
		_, rest, _ := strings.Cut(entry, " ")
		made, text, _ := strings.Cut(rest, " ")
		var revocation authcore.Revocation
		millis, err := strconv.ParseInt(made, 10, 64)
		if err != nil || json.Unmarshal([]byte(text), &revocation) != nil || revocation.Kind == "" {
			continue
		}
		revocation.Age = max(0, time.Duration(clock-millis)*time.Millisecond)
		all = append(all, revocation)
	}
	return all
}

// WatchRevocations follows the feed. See [authcore.Revocations]. It has a connection
// of its own, and calls notify at the beginning, after entries, and after each
// reconnection.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	feed := s.db.client.Subscribe(ctx, s.key("feed"))
	defer feed.Close()
	news := feed.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return unavailable(ctx.Err())
		case <-s.db.closed:
			return unavailable(errClosed)
		case _, open := <-news:
			if !open {
				return unavailable(errClosed)
			}
			if err := kv.Recover("callback", func() error { notify(); return nil }); err != nil {
				return err
			}
		}
	}
}
