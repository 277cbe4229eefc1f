package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	selectKeys = `SELECT id, algorithm, private, created, signs, expires FROM @.signing_keys WHERE realm = $1 ORDER BY position`
	lockKeys   = `SELECT FROM @.realms WHERE name = $1 FOR UPDATE`
)

// UpdateKeys lets change turn the stored keys into new ones. See authcore.Keys.
// Most of the time nothing is changed, which is found out without a lock.
func (s *Store) UpdateKeys(
	ctx context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	former, err := all(ctx, s, scanKey, selectKeys, s.realm)
	if err != nil {
		return nil, err
	}
	wanted, err := changeKeys(former, change)
	if err != nil || sameKeys(former, wanted) {
		return wanted, err
	}
	var locked, keys []authcore.SigningKey
	err = s.transact(ctx, func(b *batch) error {
		b.queue(lockKeys, s.realm)
		queueKeys(b, s.realm, &locked)
		return nil
	}, func(b *batch) error {
		keys = wanted
		if !sameKeys(locked, former) { // another node was faster
			if keys, err = changeKeys(locked, change); err != nil {
				return answered{err}
			}
		}
		if sameKeys(locked, keys) {
			return errNothing
		}
		return s.queueNewKeys(b, keys)
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// changeKeys gives change a copy of the keys and keeps nothing that it returns.
func changeKeys(
	former []authcore.SigningKey, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	changed, err := change(cloneKeys(former))
	if err != nil {
		return nil, err
	}
	keys := cloneKeys(changed)
	for i := range keys {
		key := &keys[i]
		key.Created, key.Signs = stamp(key.Created), stamp(key.Signs)
		key.Expires = timeOrZero(stampOrNull(key.Expires))
	}
	return keys, nil
}

func cloneKeys(keys []authcore.SigningKey) []authcore.SigningKey {
	clones := slices.Clone(keys)
	for i := range clones {
		clones[i].Private = slices.Clone(clones[i].Private)
	}
	return clones
}

func sameKeys(a, b []authcore.SigningKey) bool {
	return slices.EqualFunc(a, b, func(a, b authcore.SigningKey) bool {
		return a.ID == b.ID && a.Algorithm == b.Algorithm && bytes.Equal(a.Private, b.Private) &&
			a.Created.Equal(b.Created) && a.Signs.Equal(b.Signs) && a.Expires.Equal(b.Expires)
	})
}

// queueKeys reads the keys into the slice.
func queueKeys(b *batch, realm string, keys *[]authcore.SigningKey) {
	b.queue(selectKeys, realm).Query(func(rows pgx.Rows) (err error) {
		*keys, err = pgx.CollectRows(rows, scanKey)
		return err
	})
}

// queueNewKeys puts the keys in the place of those that are stored.
func (s *Store) queueNewKeys(b *batch, keys []authcore.SigningKey) error {
	b.queue(`DELETE FROM @.signing_keys WHERE realm = $1`, s.realm)
	for i, key := range keys {
		if !storable(key.ID) || !storable(key.Algorithm) {
			return answered{unkeepable("the id of a key")}
		}
		b.queue(`INSERT INTO @.signing_keys (realm, position, id, algorithm, private, created, signs, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			s.realm, i, key.ID, key.Algorithm, append([]byte{}, key.Private...), stamp(key.Created), stamp(key.Signs), stampOrNull(key.Expires))
	}
	return nil
}

func scanKey(row pgx.CollectableRow) (authcore.SigningKey, error) {
	var key authcore.SigningKey
	var expires *time.Time
	err := row.Scan(&key.ID, &key.Algorithm, &key.Private, &key.Created, &key.Signs, &expires)
	key.Expires = timeOrZero(expires)
	return key, err
}
