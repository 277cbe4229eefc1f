package redis

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// UpdateKeys changes the signing keys. See [authcore.Keys].
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	swap := func(former, text []byte) (bool, error) {
		c := newCommit(s)
		c.putKeys(former, text)
		failed, err := c.perform(ctx)
		return failed.err == nil, err
	}
	return kv.UpdateKeys(change, func() ([]byte, error) { return s.keys(ctx) }, swap)
}

// keys returns the text of the keys.
func (s *Store) keys(ctx context.Context) ([]byte, error) {
	_, values, _, err := s.load(ctx, nil, s.key("keys"))
	if err != nil {
		return nil, err
	}
	return []byte(values[0]), nil
}

// putKeys replaces the text of the keys, unless it has changed.
func (c *commit) putKeys(former, text []byte) {
	c.unchanged(c.store.key("keys"), "", string(former))
	c.write("SET", c.store.key("keys"), string(text))
}
