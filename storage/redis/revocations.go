package redis

import (
	"context"
	"strconv"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// revocationPage is how many entries are read at once: a node that starts reads
// all of them, and others are not served meanwhile.
const revocationPage = 1000

// RevocationsSince returns what was revoked after the cursor. See
// authcore.Revocations.
//
// The cursor is the number of the last entry its holder has seen, and the history
// of the data that it belongs to. With another history than that of the server, or
// a number that the server has not given out, entries may have been lost and their
// numbers used again: its holder gets everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	seen, history, _ := strings.Cut(cursor, "@")
	if _, err := strconv.ParseUint(seen, 10, 53); err != nil {
		seen, history = "0", ""
	}
	result, err := s.run(ctx, s.db.scripts.revocationsSince, history, seen, strconv.Itoa(revocationPage))
	if err != nil {
		return nil, "", err
	}
	var entries []authcore.Revocation
	now, err := parseStamp(result.text(2))
	if err != nil {
		return nil, "", damaged("feed")
	}
	for i := 3; i < len(result.rest); i += 2 {
		entry, err := decodeRevocation(result.text(i), result.text(i+1), now)
		if err != nil {
			return nil, "", damaged("revocations")
		}
		entries = append(entries, entry)
	}
	return entries, result.text(1) + "@" + result.text(0), nil
}

// WatchRevocations calls notify at the beginning, after every revocation, and
// whenever its connection had to be made anew, until ctx ends or the DB is closed.
// See authcore.Revocations. It has a connection of its own.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	feed := s.db.client.Subscribe(ctx, s.tables[feedTable])
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
			notify()
		}
	}
}
