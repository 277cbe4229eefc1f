package kv

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
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

	place []byte // its key, while it is not stored
}

// RevocationsSince implements authcore.Revocations. The cursor is the number of an
// entry. A cursor that this feed did not return yet was returned by an earlier
// feed, before a backup was restored: it selects everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	return viewPage(ctx, s, func(t *tx) (entries []authcore.Revocation, next string) {
		last := t.lastRevocation()
		seen, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil || seen > last {
			seen = 0
		}
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
		return entries, strconv.FormatUint(last, 10)
	})
}

func (t *tx) lastRevocation() uint64 {
	if number := t.Get([]byte(feedEnd)); len(number) == 8 {
		return binary.BigEndian.Uint64(number)
	}
	return 0
}

func feedIDKey(r authcore.Revocation) []byte { return join(feedIDTable, string(r.Kind), r.ID) }

// revoke appends revocations to the feed. Of each kind and ID it keeps the last one.
// It writes the keys in order: bbolt moves all entries of a page for a key that is
// inserted before them, and divides pages only when it commits.
func (t *tx) revoke(revocations ...authcore.Revocation) {
	if len(revocations) == 0 {
		return
	}
	t.revoked = true
	number := t.lastRevocation()
	entries := map[string]feedEntry{}
	puts := map[string][]byte{}
	for _, r := range revocations {
		id := feedIDKey(r)
		entry := feedEntry{Revocation: r, Forget: r.Until}
		if r.Until.IsZero() {
			entry.Forget = time.Unix(0, 0)
		}
		former, known := entries[string(id)]
		if place := t.Get(id); place != nil && !known {
			key := append([]byte{feedTable}, place...)
			former, _ = load[feedEntry](t, key) // a damaged one is replaced
			t.delete(key)
		}
		if former.Forget.After(entry.Forget) {
			entry.Forget = former.Forget
		}
		if former.place != nil {
			delete(puts, string(former.place))
		}
		number++
		entry.place = feedKey(number)
		entries[string(id)] = entry
		puts[string(entry.place)] = t.encode(entry)
		puts[string(id)] = entry.place[1:]
		puts[string(expiryKey(entry.Forget, id))] = []byte{}
		puts[feedEnd] = entry.place[1:]
	}
	for _, key := range slices.Sorted(maps.Keys(puts)) {
		t.put([]byte(key), puts[key])
	}
}
