package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// UpdateKeys lets change turn the stored keys into new ones. See authcore.Keys.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	keys, err := change(copyKeys(s.keys))
	if err != nil {
		return nil, err
	}
	s.keys = copyKeys(keys)
	return copyKeys(s.keys), nil
}

func copyKeys(keys []authcore.SigningKey) []authcore.SigningKey {
	copied := slices.Clone(keys)
	for i := range copied {
		copied[i].Private = bytes.Clone(copied[i].Private)
		copied[i].Created = wall(copied[i].Created)
		copied[i].Signs = wall(copied[i].Signs)
		copied[i].Expires = wall(copied[i].Expires)
	}
	return copied
}
