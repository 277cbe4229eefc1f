package memory

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// User returns the user with this id. See authcore.Users.
func (s *Store) User(ctx context.Context, id string) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	return s.user(id)
}

// UserByEmail returns the user who holds a verified address. See authcore.Users.
func (s *Store) UserByEmail(ctx context.Context, key string) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	id, found := s.byEmail[key]
	if !found {
		return authcore.User{}, authcore.ErrNotFound
	}
	return s.user(id)
}

// EnsureUser finds the holder of the candidate's address or stores the
// candidate. See authcore.Users.
func (s *Store) EnsureUser(ctx context.Context, candidate authcore.User) (authcore.User, bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, false, err
	}
	defer unlock()
	if id, found := s.byEmail[candidate.EmailKey()]; found {
		user, err := s.user(id)
		return user, false, err
	}
	user, err := s.addUser(candidate)
	return user, err == nil, err
}

// UpdateUser applies change to the stored user. See authcore.Users. The id and
// Disabled stay as they are whatever change does to them.
func (s *Store) UpdateUser(
	ctx context.Context, id string, change func(*authcore.User) error,
) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	former, err := s.user(id)
	if err != nil {
		return authcore.User{}, err
	}
	user := former
	if err := change(&user); err != nil {
		return authcore.User{}, err
	}
	user.ID, user.Disabled, user.Created = former.ID, former.Disabled, wall(user.Created)
	key := user.EmailKey()
	if holder, found := s.byEmail[key]; found && holder != id {
		return authcore.User{}, authcore.ErrTaken
	}
	delete(s.byEmail, former.EmailKey())
	s.putUser(user)
	return user, nil
}

// SetDisabled disables or enables a user. See authcore.UserAdmin. The sessions
// that end by it are revoked one by one as well: enabling lifts the revocation
// of the user, and the tokens of ended sessions must not come back with it.
func (s *Store) SetDisabled(
	ctx context.Context, id string, disabled bool, until, now time.Time,
) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	user, err := s.user(id)
	if err != nil {
		return authcore.User{}, err
	}
	if !disabled {
		until = time.Time{}
	}
	user.Disabled = disabled
	s.putUser(user)
	if disabled {
		s.endSessions(id, func(authcore.Session) bool { return true }, now)
		s.dropSessions(id)
	}
	s.revoke(authcore.RevokeUser, id, until)
	return user, nil
}

// DeleteUser removes a user and what belongs to it. See authcore.UserAdmin.
func (s *Store) DeleteUser(ctx context.Context, id string, until, now time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	user, err := s.user(id)
	if err != nil {
		return err
	}
	s.users.remove(id)
	delete(s.byEmail, user.EmailKey())
	s.dropIdentities(id)
	s.endSessions(id, func(authcore.Session) bool { return true }, now)
	s.dropSessions(id)
	s.revoke(authcore.RevokeUser, id, until)
	return nil
}

func (s *Store) user(id string) (authcore.User, error) {
	user, found := s.users.get(id)
	if !found {
		return authcore.User{}, authcore.ErrNotFound
	}
	return user, nil
}

// addUser stores a user under an id that was never used before.
func (s *Store) addUser(user authcore.User) (authcore.User, error) {
	if _, found := s.users.get(user.ID); found {
		return authcore.User{}, authcore.ErrTaken
	}
	user.Created = wall(user.Created)
	s.putUser(user)
	return user, nil
}

func (s *Store) putUser(user authcore.User) {
	s.users.put(user.ID, user)
	if key := user.EmailKey(); key != "" {
		s.byEmail[key] = user.ID
	}
}
