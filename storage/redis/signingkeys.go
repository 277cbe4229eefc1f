package redis

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/edgeauth/edgeauth/authcore"
)

// UpdateKeys lets change turn the stored keys into new ones. See authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	return retry(ctx, func() ([]authcore.SigningKey, bool, error) {
		former, before, err := s.keys(ctx)
		if err != nil {
			return nil, false, err
		}
		keys, err := change(former)
		if err != nil {
			return nil, false, err
		}
		after, err := encodeKeys(keys)
		if err != nil {
			return nil, false, err
		}
		result := answer{word: "ok"}
		if after != before {
			result, err = s.run(ctx, s.db.scripts.updateKeys, before, after)
		}
		if err != nil || result.overtaken() {
			return nil, result.overtaken(), err
		}
		stored, err := decodeKeys(after) // shares nothing with what change gave
		return stored, false, err
	})
}

// keys returns the keys and the text that a change of them is compared with.
func (s *Store) keys(ctx context.Context) ([]authcore.SigningKey, string, error) {
	value, err := s.db.do(ctx, []any{"get", s.tables[keysTable]})
	text, err := found(value, err)
	if err != nil && !errors.Is(err, authcore.ErrNotFound) {
		return nil, "", err
	}
	keys, err := decodeKeys(text)
	return keys, text, err
}

// encodeKeys writes no keys as nothing, which is what a new realm has.
func encodeKeys(keys []authcore.SigningKey) (string, error) {
	if len(keys) == 0 {
		return "", nil
	}
	return toJSON(keys)
}

func decodeKeys(text string) ([]authcore.SigningKey, error) {
	if text == "" {
		return nil, nil
	}
	var keys []authcore.SigningKey
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return nil, damaged("keys")
	}
	return keys, nil
}
