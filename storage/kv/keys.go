package kv

import (
	"bytes"
	"context"
	"errors"

	"github.com/edgeauth/edgeauth/authcore"
)

// UpdateKeys implements authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	for range maxConflicts {
		stored, err := view(ctx, s, func(t *tx) ([]byte, error) { return bytes.Clone(t.Get([]byte{keyTable})), nil })
		if err != nil {
			return nil, err
		}
		keys, text, err := changeKeys(stored, change)
		if err != nil || bytes.Equal(text, stored) {
			return keys, err
		}
		swapped, err := update(ctx, s, func(t *tx) (bool, error) {
			if !bytes.Equal(t.Get([]byte{keyTable}), stored) {
				return false, nil
			}
			t.put([]byte{keyTable}, text)
			return true, nil
		})
		if err != nil || swapped {
			return keys, err
		}
	}
	return nil, unavailable(errTooManyConflicts)
}

// maxConflicts bounds the attempts of UpdateKeys.
const maxConflicts = 100

var errTooManyConflicts = errors.New("update keys: gave up after 100 conflicting updates")

// changeKeys calls change and returns its result, also encoded.
func changeKeys(
	stored []byte, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) (keys []authcore.SigningKey, text []byte, err error) {
	if stored != nil {
		if keys, err = decode[[]authcore.SigningKey](stored); err != nil {
			return nil, nil, err
		}
	}
	err = Recover("callback", func() (err error) {
		keys, err = change(keys)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if len(keys) == 0 && stored == nil {
		return nil, nil, nil
	}
	text, err = encode(keys)
	if err != nil {
		return nil, nil, err
	}
	keys, err = decode[[]authcore.SigningKey](text) // a copy
	return keys, text, err
}
