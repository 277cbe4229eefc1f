package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/edgeauth/edgeauth/authcore"
)

// keysKey is where the one entry of the keys table stands.
var keysKey = []byte("keys")

// UpdateKeys lets change turn the stored keys into new ones. See authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	return write(ctx, s, func(t *tx) ([]authcore.SigningKey, error) {
		former, err := t.signingKeys()
		if err != nil {
			return nil, err
		}
		keys, err := change(former)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(keys)
		if err != nil {
			return nil, unavailable(errors.New("a key has no JSON form"))
		}
		if stored := t.get(keysTable, keysKey); !bytes.Equal(stored, text) && len(stored)+len(keys) > 0 {
			if err := t.put(keysTable, keysKey, text); err != nil {
				return nil, err
			}
		}
		var result []authcore.SigningKey // shares nothing with what change gave
		err = decode(keysTable, text, &result)
		return result, err
	})
}

// signingKeys returns the stored keys; none is no error.
func (t *tx) signingKeys() ([]authcore.SigningKey, error) {
	keys, err := load[[]authcore.SigningKey](t, keysTable, keysKey)
	if errors.Is(err, authcore.ErrNotFound) {
		return nil, nil
	}
	return keys, err
}
