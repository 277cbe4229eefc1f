package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// revocationPage is how many entries are read at once: a node that starts reads
// all of them, and must not need the memory for all of them twice.
const revocationPage = 5000

// RevocationsSince returns what was revoked after the cursor. See
// authcore.Revocations. The cursor is the number of the last entry its holder has
// seen. One that this file never gave out belongs to another life of the realm:
// its holder has missed everything and gets everything.
func (s *Store) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	var next string
	entries, err := read(ctx, s, func(t *tx) ([]authcore.Revocation, error) {
		bucket := t.bucket(revocationsTable)
		last := bucket.Sequence()
		next = strconv.FormatUint(last, 10)
		seen, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil || seen > last {
			seen = 0
		}
		var entries []authcore.Revocation
		position := bucket.Cursor()
		for key, text := position.Seek(numberKey(seen + 1)); key != nil; key, text = position.Next() {
			entry, err := parseRevocation(text)
			if err != nil {
				return nil, err
			}
			if entries = append(entries, entry.Revocation); len(entries) == revocationPage {
				next = strconv.FormatUint(binary.BigEndian.Uint64(key), 10)
				break
			}
		}
		return entries, nil
	})
	if err != nil {
		return nil, "", err
	}
	return entries, next, nil
}

// WatchRevocations calls notify once at the beginning and after the commit of
// every revocation, until ctx ends. See authcore.Revocations.
func (s *Store) WatchRevocations(ctx context.Context, notify func()) error {
	return s.watchers.Watch(ctx, notify)
}

// revoke puts an entry at the end of the feed, in place of an earlier one of this
// kind and id; a zero time lifts.
func (t *tx) revoke(kind gate.RevocationKind, id string, until time.Time) error {
	key := joinKey(string(kind), id)
	entry := revocation{
		Revocation: authcore.Revocation{Kind: kind, ID: id, Until: until},
		Forget:     until,
	}
	if number := t.get(revocationsByIDTable, key); number != nil {
		former, err := parseRevocation(t.get(revocationsTable, number))
		if err != nil {
			return damaged(err, revocationsByIDTable)
		}
		if former.Forget.After(until) {
			entry.Forget = former.Forget
		}
		if err := t.remove(revocationsTable, number); err != nil {
			return err
		}
	}
	number, err := t.next(revocationsTable)
	if err != nil {
		return err
	}
	t.engine.OnCommit(t.notify)
	return errors.Join(
		t.put(revocationsTable, numberKey(number), entry.bytes()),
		t.put(revocationsByIDTable, key, numberKey(number)),
		t.expire(entry.Forget, revocationClass, key),
	)
}
