package adminapi

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore/keys"
)

// SigningKeys lists the signing keys of a realm, the oldest first.
type SigningKeys struct {
	Keys []keys.Info `json:"keys"`
}

// onKeys performs an operation and answers with the keys after it.
func onKeys(perform func(context.Context, *call) error) operation {
	return func(c *call) (any, error) {
		err := perform(c.Context(), c)
		return SigningKeys{Keys: c.realm.Keys.List()}, err
	}
}

func rotate(ctx context.Context, c *call) error {
	return c.realm.Keys.Rotate(ctx, c.realm.Now())
}

func revokeKey(ctx context.Context, c *call) error {
	return c.realm.Keys.Revoke(ctx, c.PathValue("key"), c.realm.Now())
}

// revokeAll revokes the keys that are present now. All tokens end.
func revokeAll(ctx context.Context, c *call) error {
	for _, key := range c.realm.Keys.List() {
		if err := c.realm.Keys.Revoke(ctx, key.ID, c.realm.Now()); err != nil {
			return err
		}
	}
	return nil
}
