package kv

import (
	"bytes"
	"context"
	"encoding/binary"
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
		part, err := update(ctx, s, func(t *tx) (authcore.Swept, error) { return t.sweep(due, now) })
		if err != nil {
			return swept, err
		}
		swept.Removed += part.Removed
		swept.Damaged += part.Damaged
		from = append(due[len(due)-1], 0)
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

func (t *tx) sweep(due [][]byte, now time.Time) (authcore.Swept, error) {
	var swept authcore.Swept
	for _, entry := range due {
		if len(entry) < expiryHeader {
			swept.Damaged++
			continue
		}
		kind, item := class(entry[expiryHeader-1]), entry[expiryHeader:]
		state, expires := t.examine(kind, item)
		switch {
		case state == itemDamaged:
			swept.Damaged++
			continue
		case state == itemPresent && (expires.IsZero() || now.Before(expires)):
			again := expiryKey(expires, kind, item)
			if bytes.Equal(again, entry) { // it expires later in this second
				continue
			}
			if err := t.expire(expires, kind, item); err != nil {
				return swept, err
			}
		case state != itemAbsent:
			if err := t.deleteItem(kind, item); err != nil {
				return swept, err
			}
			swept.Removed++
		}
		if err := t.Delete(entry); err != nil {
			return swept, err
		}
	}
	return swept, nil
}

type itemState int

const (
	itemAbsent itemState = iota
	itemPresent
	itemDamaged
	// itemOrphan is a session or an identity whose user was deleted.
	itemOrphan
)

// itemKey returns the key of the item that an entry of the expiry table names.
func (t *tx) itemKey(kind class, item []byte) []byte {
	switch kind {
	case sessionClass, identityClass: // the class is the part as well
		at := bytes.IndexByte(item, separator) + 1
		key := append([]byte{accountTable}, item[:at]...)
		return append(append(key, byte(kind)), item[at:]...)
	case recordClass:
		return append([]byte{recordTable}, item...)
	case revocationClass:
		return append([]byte{feedTable}, t.Get(append([]byte{feedIDTable}, item...))...)
	}
	return nil
}

// examine returns the state of an item and when it expires.
func (t *tx) examine(kind class, item []byte) (itemState, time.Time) {
	key := t.itemKey(kind, item)
	if key == nil {
		return itemDamaged, time.Time{}
	}
	text := t.Get(key)
	if text == nil {
		return itemAbsent, time.Time{}
	}
	if at := bytes.IndexByte(key, separator); key[0] == accountTable && t.Get(key[:at+1]) == nil {
		return itemOrphan, time.Time{}
	}
	times, err := decode[struct{ Expires, Forget time.Time }](text)
	switch {
	case err != nil:
		return itemDamaged, time.Time{}
	case kind != revocationClass:
		return itemPresent, times.Expires
	case times.Forget.IsZero(): // see revoke
		return itemPresent, time.Unix(0, 0)
	}
	return itemPresent, times.Forget
}

func (t *tx) deleteItem(kind class, item []byte) error {
	key := t.itemKey(kind, item)
	switch kind {
	case identityClass:
		userID, text, _ := strings.Cut(string(item), "\x00")
		if index := join(identityTable, text); string(t.Get(index)) == userID {
			if err := t.Delete(index); err != nil {
				return err
			}
		}
	case recordClass:
		return t.deleteRecord(key)
	case revocationClass:
		if err := t.Delete(append([]byte{feedIDTable}, item...)); err != nil {
			return err
		}
	}
	return t.Delete(key)
}
