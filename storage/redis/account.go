package redis

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// maxSeen bounds the sessions that one step marks, because other calls wait for it.
const maxSeen = 200

// User returns a user. See [authcore.Accounts].
func (s *Store) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	account, err := s.Account(ctx, ref, time.Time{})
	return account.User, err
}

// Account returns an account. See [authcore.Accounts].
func (s *Store) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	user, err := s.user(ctx, ref, now)
	if err != nil {
		return authcore.Account{}, err
	}
	return user.account, nil
}

// UpdateAccount changes an account. See [authcore.Accounts].
func (s *Store) UpdateAccount(
	ctx context.Context, userID string, now time.Time, change func(*authcore.Account) error,
) (authcore.Account, error) {
	return retry(ctx, s, now, func(c *commit) (authcore.Account, error) {
		user, damage := s.user(ctx, authcore.UserRef{ID: userID}, now)
		if damage != nil && !errors.Is(damage, errDamagedUser) {
			return authcore.Account{}, damage
		}
		after := user.account.Clone()
		if err := kv.Recover("callback", func() error { return after.Apply(change, damage) }); err != nil {
			return authcore.Account{}, err
		}
		return c.account(user, after, errConflict)
	})
}

// DeleteUser deletes a user and what it owns. See [authcore.Accounts]. It decodes
// nothing, so that damage does not prevent it.
func (s *Store) DeleteUser(ctx context.Context, userID string, revocation authcore.Revocation) error {
	_, err := retry(ctx, s, time.Time{}, func(c *commit) (struct{}, error) {
		users, _, _, err := s.load(ctx, []authcore.UserRef{{ID: userID}})
		if err != nil {
			return struct{}{}, err
		}
		user, key := users[0], s.key("u:", userID)
		if userID == "" || user.fields == nil {
			return struct{}{}, authcore.ErrNotFound
		}
		c.unchanged(key, versionField, user.fields[versionField])
		c.write("DISOWN", s.key("o:", userID), "", "")
		c.write("UNLINK", key)
		for field := range user.fields {
			if digest, ok := strings.CutPrefix(field, identityField); ok {
				c.write("DEL", s.key("i:", digest))
			}
		}
		if email := user.fields[emailField]; email != "" {
			c.write("DEL", s.key("e:", email))
		}
		c.write("ZREM", s.idsKey(userID), userID)
		return struct{}{}, c.revoke(revocation)
	})
	return err
}

// MarkSeen marks sessions as seen. See [authcore.Accounts]. Up to maxSeen sessions
// are one step: a part of the work is useful by itself.
func (s *Store) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	for refs := range slices.Chunk(slices.Collect(maps.Keys(seen)), maxSeen) {
		var keys, arguments []string
		for _, ref := range refs {
			keys = append(keys, s.key("u:", ref.UserID))
			arguments = append(arguments, ref.ID, strconv.FormatInt(seen[ref].UnixMicro(), 10))
		}
		switch value, err := s.run(ctx, "seen", keys, arguments...); {
		case err != nil:
			return err
		case value != int64(0):
			return errUnexpected
		}
	}
	return ctx.Err()
}
