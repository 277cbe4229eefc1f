package kv

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// feedPage bounds the result of RevocationsSince.
const feedPage = 5000

// feedEntry is a revocation in the feed.
type feedEntry struct {
	authcore.Revocation
	// Forget is the time at which no node needs the entry any more; never zero. An
	// entry that lifts a revocation is needed until the lifted one would have ended,
	// because a node may have that one.
	Forget time.Time `json:"forget"`
}

// RevocationsSince implements authcore.Revocations. The cursor is the number of an
// entry. A cursor that this feed did not return yet was returned by an earlier
// feed, before a backup was restored: it selects everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	var next string
	entries, err := view(ctx, s, func(t *tx) ([]authcore.Revocation, error) {
		last := t.lastRevocation()
		seen, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil || seen > last {
			seen = 0
		}
		var entries []authcore.Revocation
		for key, text := range t.within([]byte{feedTable}, feedKey(seen+1)) {
			if string(key) == feedEnd {
				break
			}
			entry, err := decode[feedEntry](text)
			if err != nil {
				continue
			}
			if entries = append(entries, entry.Revocation); len(entries) == feedPage {
				last = binary.BigEndian.Uint64(key[1:])
				break
			}
		}
		next = strconv.FormatUint(last, 10)
		return entries, nil
	})
	if err != nil {
		return nil, "", err
	}
	return entries, next, nil
}

func (t *tx) lastRevocation() uint64 {
	if number := t.Get([]byte(feedEnd)); len(number) == 8 {
		return binary.BigEndian.Uint64(number)
	}
	return 0
}

func feedIDKey(r authcore.Revocation) []byte { return join(feedIDTable, string(r.Kind), r.ID) }

// revoke appends a revocation to the feed and deletes the earlier one of the same
// kind and ID.
func (t *tx) revoke(r authcore.Revocation) error {
	t.revoked = true
	id := feedIDKey(r)
	entry := feedEntry{Revocation: r, Forget: r.Until}
	if r.Until.IsZero() {
		entry.Forget = time.Unix(0, 0)
	}
	if place := t.Get(id); place != nil {
		key := append([]byte{feedTable}, place...)
		former, err := load[feedEntry](t, key)
		if err == nil && former.Forget.After(entry.Forget) {
			entry.Forget = former.Forget
		}
		if err := t.Delete(key); err != nil {
			return err
		}
	}
	text, err := encode(entry)
	if err != nil {
		return err
	}
	key := feedKey(t.lastRevocation() + 1)
	return errors.Join(
		t.Put(key, text),
		t.Put([]byte(feedEnd), key[1:]),
		t.Put(id, key[1:]),
		t.expire(id, entry.Forget),
	)
}
