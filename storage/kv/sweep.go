package kv

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Sweep implements authcore.Store. It reads a batch of the expiry table, then
// deletes the items in a short step, so that other steps are served in between.
func (s *Store) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	var swept authcore.Swept
	for from := []byte{expiryTable}; ; {
		due, err := view(ctx, s, func(t *tx) ([][]byte, error) { return t.due(from, now), nil })
		if err != nil || len(due) == 0 {
			return swept, err
		}
		part, err := update(ctx, s, func(t *tx) (authcore.Swept, error) { return t.sweep(due, now), nil })
		if err != nil {
			return swept, err
		}
		swept.Removed += part.Removed
		swept.Damaged += part.Damaged
		from = append(slices.Clone(due[len(due)-1]), 0)
	}
}

// due returns keys of the expiry table whose time has come, up to a batch.
func (t *tx) due(from []byte, now time.Time) [][]byte {
	var due [][]byte
	for key := range t.within([]byte{expiryTable}, from) {
		if len(due) == batch || len(key) >= expiryHeader && binary.BigEndian.Uint64(key[1:]) > seconds(now) {
			break
		}
		due = append(due, bytes.Clone(key))
	}
	return due
}

func (t *tx) sweep(due [][]byte, now time.Time) (swept authcore.Swept) {
	for _, entry := range due {
		if len(entry) <= expiryHeader {
			swept.Damaged++
			continue
		}
		item := entry[expiryHeader:]
		state, expires := t.examine(item)
		switch {
		case state == itemDamaged:
			swept.Damaged++
			continue
		case state == itemPresent && (expires.IsZero() || now.Before(expires)):
			if bytes.Equal(expiryKey(expires, item), entry) { // it expires later in this second
				continue
			}
			t.expire(item, expires)
		case state != itemAbsent:
			swept.Removed++
			t.deleteItem(item)
		}
		t.delete(entry)
	}
	return swept
}

// expire files an item under the time at which it expires.
func (t *tx) expire(item []byte, expires time.Time) {
	if !expires.IsZero() {
		t.put(expiryKey(expires, item), nil)
	}
}

// putExpiring stores an item in place of an earlier form. If that form expires
// earlier, Sweep looks at the item then, and the item is not filed now.
func (t *tx) putExpiring(key, text []byte, expires, former time.Time) {
	if !former.IsZero() && !expires.Before(former) {
		expires = time.Time{}
	}
	t.put(key, text)
	t.expire(key, expires)
}

type itemState int

const (
	itemAbsent itemState = iota
	itemPresent
	itemDamaged
	// itemOrphan is a session or an identity whose user was deleted.
	itemOrphan
)

// examine returns the state of an item and when it expires.
func (t *tx) examine(item []byte) (itemState, time.Time) {
	text := t.Get(item)
	at := bytes.IndexByte(item, separator)
	switch {
	case bytes.IndexByte([]byte{accountTable, recordTable, feedIDTable}, item[0]) < 0 || at < 0 || at == len(item)-1:
		return itemDamaged, time.Time{}
	case text == nil:
		return itemAbsent, time.Time{}
	case item[0] == accountTable && t.Get(item[:at+1]) == nil:
		return itemOrphan, time.Time{}
	case item[0] == feedIDTable:
		text = t.Get(append([]byte{feedTable}, text...))
	}
	times, err := decode[struct{ Expires, Forget time.Time }](text)
	if err != nil {
		return itemDamaged, time.Time{}
	}
	return itemPresent, cmp.Or(times.Expires, times.Forget)
}

// deleteItem deletes an item and its entries in other tables.
func (t *tx) deleteItem(item []byte) {
	switch item[0] {
	case recordTable:
		t.deleteRecord(item)
		return
	case feedIDTable:
		t.delete(append([]byte{feedTable}, t.Get(item)...))
	case accountTable:
		userID, part, _ := strings.Cut(string(item[1:]), "\x00")
		index := join(identityTable, part[1:])
		if part[0] == identityPart && string(t.Get(index)) == userID {
			t.delete(index)
		}
	}
	t.delete(item)
}
