package kv

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxConflicts bounds the attempts of UpdateKeys.
const maxConflicts = 100

var errTooManyConflicts = errors.New("update keys: gave up after 100 conflicting updates")

// UpdateKeys implements authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	read := func() ([]byte, error) {
		return view(ctx, s, func(t *tx) ([]byte, error) { return bytes.Clone(t.Get([]byte{keyTable})), nil })
	}
	swap := func(former, text []byte) (bool, error) {
		return update(ctx, s, func(t *tx) (bool, error) {
			if !bytes.Equal(t.Get([]byte{keyTable}), former) {
				return false, nil
			}
			t.put([]byte{keyTable}, text)
			return true, nil
		})
	}
	return UpdateKeys(change, read, swap)
}

// UpdateKeys changes signing keys that an engine keeps as one text. Read returns the
// text, which is empty if it is absent; swap replaces it, or returns false if it has changed since
// it was read. The change runs between the two, because generating a key takes long.
func UpdateKeys(
	change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
	read func() ([]byte, error), swap func(former, text []byte) (bool, error),
) ([]authcore.SigningKey, error) {
	for range maxConflicts {
		stored, err := read()
		if err != nil {
			return nil, err
		}
		keys, text, err := changeKeys(stored, change)
		if err != nil || bytes.Equal(text, stored) {
			return keys, err
		}
		swapped, err := swap(stored, text)
		if err != nil {
			return nil, err
		}
		if swapped {
			return keys, nil
		}
	}
	return nil, unavailable(errTooManyConflicts)
}

// changeKeys calls change and returns its result, also encoded.
func changeKeys(
	stored []byte, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) (keys []authcore.SigningKey, text []byte, err error) {
	if keys, err = decodeKeys(stored); err != nil {
		return nil, nil, err
	}
	err = Recover("callback", func() (err error) {
		keys, err = change(keys)
		return err
	})
	if err != nil || len(keys) == 0 && len(stored) == 0 {
		return nil, nil, err
	}
	text, err = encode(keys)
	if err != nil {
		return nil, nil, err
	}
	keys, err = decodeKeys(text) // a copy
	return keys, text, err
}

func decodeKeys(text []byte) ([]authcore.SigningKey, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return decode[[]authcore.SigningKey](text)
}

// KeyItems returns the live keys of a text for an export.
func KeyItems(text []byte, now time.Time) ([]authcore.Item, error) {
	keys, err := decodeKeys(text)
	var items []authcore.Item
	for _, key := range keys {
		if key.Live(now) {
			items = append(items, authcore.Item{Key: &key})
		}
	}
	return items, err
}

// MergeKeys adds keys to those of a text, and returns how many of them were absent.
func MergeKeys(text []byte, keys []authcore.SigningKey) (merged []byte, added int, err error) {
	stored, err := decodeKeys(text)
	if err != nil {
		return nil, 0, err
	}
	all, added := authcore.MergeKeys(stored, keys)
	merged, err = encode(all)
	return merged, added, err
}
