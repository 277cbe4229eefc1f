package redis

import (
	"context"
	"encoding/json"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// UpdateKeys changes the signing keys. See [authcore.Keys].
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	text, err := retry(ctx, s, time.Time{}, func(c *commit) (string, error) {
		stored, before, err := s.keys(ctx)
		if err != nil {
			return "", err
		}
		var changed []authcore.SigningKey
		if err := kv.Recover("callback", func() (err error) {
			changed, err = change(stored)
			return err
		}); err != nil {
			return "", err
		}
		return c.putKeys(before, changed)
	})
	if err != nil {
		return nil, err
	}
	return decodeKeys(text) // shares nothing with the callback
}

// keys returns the keys and their text.
func (s *Store) keys(ctx context.Context) ([]authcore.SigningKey, string, error) {
	_, values, _, err := s.load(ctx, nil, s.key("keys"))
	if err != nil {
		return nil, "", err
	}
	keys, err := decodeKeys(values[0])
	return keys, values[0], err
}

// putKeys stores keys if they differ from a text, and returns theirs.
func (c *commit) putKeys(before string, keys []authcore.SigningKey) (string, error) {
	after := ""
	if len(keys) > 0 {
		var err error
		if after, err = encode(keys); err != nil {
			return "", err
		}
	}
	if after == before {
		return before, nil
	}
	c.unchanged(c.store.key("keys"), "", before)
	if after == "" {
		c.write("DEL", c.store.key("keys"))
	} else {
		c.write("SET", c.store.key("keys"), after)
	}
	return after, nil
}

func decodeKeys(text string) ([]authcore.SigningKey, error) {
	if text == "" {
		return nil, nil
	}
	var keys []authcore.SigningKey
	if json.Unmarshal([]byte(text), &keys) != nil {
		return nil, damaged("list of keys")
	}
	return keys, nil
}
