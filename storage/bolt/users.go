package bolt

import (
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// User returns the user with this id. See authcore.Users.
func (s *Store) User(ctx context.Context, id string) (authcore.User, error) {
	return read(ctx, s, func(t *tx) (authcore.User, error) { return t.user(id) })
}

// UserByEmail returns the user who holds a verified address. See authcore.Users.
func (s *Store) UserByEmail(ctx context.Context, key string) (authcore.User, error) {
	return read(ctx, s, func(t *tx) (authcore.User, error) {
		id := t.holder(key)
		if id == "" {
			return authcore.User{}, authcore.ErrNotFound
		}
		return t.user(id)
	})
}

// found is a user and whether the step made it.
type found struct {
	user    authcore.User
	created bool
}

// EnsureUser finds the holder of the candidate's address or stores the
// candidate. See authcore.Users.
func (s *Store) EnsureUser(ctx context.Context, candidate authcore.User) (authcore.User, bool, error) {
	result, err := write(ctx, s, func(t *tx) (found, error) {
		if id := t.holder(candidate.EmailKey()); id != "" {
			user, err := t.user(id)
			return found{user: user}, err
		}
		return found{user: candidate, created: true}, t.addUser(candidate)
	})
	return result.user, result.created, err
}

// UpdateUser applies change to the stored user. See authcore.Users. The id and
// Disabled stay as they are whatever change does to them.
func (s *Store) UpdateUser(
	ctx context.Context, id string, change func(*authcore.User) error,
) (authcore.User, error) {
	return write(ctx, s, func(t *tx) (authcore.User, error) {
		former, err := t.user(id)
		if err != nil {
			return authcore.User{}, err
		}
		user := former
		if err := change(&user); err != nil {
			return authcore.User{}, err
		}
		user.ID, user.Disabled = former.ID, former.Disabled
		if holder := t.holder(user.EmailKey()); holder != "" && holder != id {
			return authcore.User{}, authcore.ErrTaken
		}
		if key := former.EmailKey(); key != "" && key != user.EmailKey() {
			if err := t.remove(usersByEmailTable, []byte(key)); err != nil {
				return authcore.User{}, err
			}
		}
		return user, t.putUser(user)
	})
}

// SetDisabled disables or enables a user. See authcore.UserAdmin. The sessions
// that end by it are revoked one by one as well: enabling lifts the revocation
// of the user, and the tokens of ended sessions must not come back with it.
func (s *Store) SetDisabled(
	ctx context.Context, id string, disabled bool, until, now time.Time,
) (authcore.User, error) {
	return write(ctx, s, func(t *tx) (authcore.User, error) {
		user, err := t.user(id)
		if err != nil {
			return authcore.User{}, err
		}
		user.Disabled = disabled
		if err := t.putUser(user); err != nil {
			return authcore.User{}, err
		}
		if !disabled {
			return user, t.revoke(authcore.RevokeUser, id, time.Time{})
		}
		if _, err := t.endSessions(id, func(authcore.Session) bool { return true }, now); err != nil {
			return authcore.User{}, err
		}
		if err := t.dropSessions(id); err != nil {
			return authcore.User{}, err
		}
		return user, t.revoke(authcore.RevokeUser, id, until)
	})
}

// DeleteUser removes a user and what belongs to it. See authcore.UserAdmin.
func (s *Store) DeleteUser(ctx context.Context, id string, until, now time.Time) error {
	return change(ctx, s, func(t *tx) error {
		user, err := t.user(id)
		if err != nil {
			return err
		}
		if key := user.EmailKey(); key != "" {
			if err := t.remove(usersByEmailTable, []byte(key)); err != nil {
				return err
			}
		}
		if _, err := t.endSessions(id, func(authcore.Session) bool { return true }, now); err != nil {
			return err
		}
		return errors.Join(
			t.remove(usersTable, []byte(id)),
			t.dropIdentities(id),
			t.dropSessions(id),
			t.revoke(authcore.RevokeUser, id, until),
		)
	})
}

func (t *tx) user(id string) (authcore.User, error) {
	return load[authcore.User](t, usersTable, []byte(id))
}

// active reports whether the user exists and is not disabled.
func (t *tx) active(id string) (bool, error) {
	user, err := t.user(id)
	if errors.Is(err, authcore.ErrNotFound) {
		return false, nil
	}
	return !user.Disabled, err
}

// holder returns the id of the user with this verified address, or "".
func (t *tx) holder(key string) string { return string(t.get(usersByEmailTable, []byte(key))) }

// addUser stores a user under an id that was never used before.
func (t *tx) addUser(user authcore.User) error {
	if t.get(usersTable, []byte(user.ID)) != nil {
		return authcore.ErrTaken
	}
	return t.putUser(user)
}

func (t *tx) putUser(user authcore.User) error {
	if err := store(t, usersTable, []byte(user.ID), user); err != nil {
		return err
	}
	if key := user.EmailKey(); key != "" {
		return t.put(usersByEmailTable, []byte(key), []byte(user.ID))
	}
	return nil
}
