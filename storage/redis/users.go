package redis

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// User returns the user with this id. See authcore.Users.
func (s *Store) User(ctx context.Context, id string) (authcore.User, error) {
	user, _, err := s.user(ctx, id)
	return user, err
}

// user returns a user and the text that a change of it is compared with.
func (s *Store) user(ctx context.Context, id string) (authcore.User, string, error) {
	text, err := s.get(ctx, usersTable, id)
	if err != nil {
		return authcore.User{}, "", err
	}
	user, err := userOf(text)
	return user, text, err
}

func userOf(text string) (authcore.User, error) {
	user, err := decodeUser(text)
	return decoded(user, err, "users")
}

// UserByEmail returns the user who holds a verified address. See authcore.Users.
func (s *Store) UserByEmail(ctx context.Context, key string) (authcore.User, error) {
	return s.findUser(ctx, s.db.scripts.userByEmail, key)
}

func (s *Store) findUser(ctx context.Context, step script, key string) (authcore.User, error) {
	result, err := s.run(ctx, step, key)
	if err != nil {
		return authcore.User{}, err
	}
	return userOf(result.text(0))
}

// EnsureUser finds the holder of the candidate's address or stores the
// candidate. See authcore.Users.
func (s *Store) EnsureUser(ctx context.Context, candidate authcore.User) (authcore.User, bool, error) {
	text, err := encodeUser(candidate)
	if err != nil {
		return authcore.User{}, false, err
	}
	return ensured(s.run(ctx, s.db.scripts.ensureUser, candidate.ID, candidate.EmailKey(), text))
}

// ensured reads a user whom a script found or made.
func ensured(result answer, err error) (authcore.User, bool, error) {
	if err != nil {
		return authcore.User{}, false, err
	}
	user, err := userOf(result.text(0))
	return user, err == nil && result.word == "made", err
}

// UpdateUser applies change to the stored user. See authcore.Users. The id and
// Disabled stay as they are whatever change does to them.
func (s *Store) UpdateUser(
	ctx context.Context, id string, change func(*authcore.User) error,
) (authcore.User, error) {
	return retry(ctx, func() (authcore.User, bool, error) {
		former, before, err := s.user(ctx, id)
		if err != nil {
			return authcore.User{}, false, err
		}
		user := former
		if err := change(&user); err != nil {
			return authcore.User{}, false, err
		}
		user.ID, user.Disabled = former.ID, former.Disabled
		after, err := encodeUser(user)
		if err != nil {
			return authcore.User{}, false, err
		}
		result, err := s.run(ctx, s.db.scripts.updateUser, id, before, after, former.EmailKey(), user.EmailKey())
		return user, result.overtaken(), err
	})
}

// SetDisabled disables or enables a user. See authcore.UserAdmin. The sessions
// that end by it are revoked one by one as well: enabling lifts the revocation
// of the user, and the tokens of ended sessions must not come back with it.
func (s *Store) SetDisabled(
	ctx context.Context, id string, disabled bool, until, now time.Time,
) (authcore.User, error) {
	action := "1"
	if !disabled {
		action, until = "0", time.Time{}
	}
	return retry(ctx, func() (authcore.User, bool, error) {
		user, before, err := s.user(ctx, id)
		if err != nil {
			return authcore.User{}, false, err
		}
		user.Disabled = disabled
		after, err := encodeUser(user)
		if err != nil {
			return authcore.User{}, false, err
		}
		result, err := s.run(ctx, s.db.scripts.setDisabled, id, before, after, stamp(until), stamp(now), action)
		return user, result.overtaken(), err
	})
}

// DeleteUser removes a user and what belongs to it. See authcore.UserAdmin.
func (s *Store) DeleteUser(ctx context.Context, id string, until, now time.Time) error {
	_, err := retry(ctx, func() (struct{}, bool, error) {
		user, before, err := s.user(ctx, id)
		if err != nil {
			return struct{}{}, false, err
		}
		result, err := s.run(ctx, s.db.scripts.deleteUser, id, before, user.EmailKey(), stamp(until), stamp(now))
		return struct{}{}, result.overtaken(), err
	})
	return err
}
