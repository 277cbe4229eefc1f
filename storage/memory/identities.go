package memory

import (
	"context"
	"slices"
	"strconv"

	"github.com/edgeauth/edgeauth/authcore"
)

// UserByIdentity returns the user of an identity. See authcore.Identities.
func (s *Store) UserByIdentity(ctx context.Context, identity authcore.Identity) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	known, found := s.identities.get(identityKey(identity))
	if !found {
		return authcore.User{}, authcore.ErrNotFound
	}
	return s.user(known.UserID)
}

// EnsureIdentity finds or makes the user of an identity. See
// authcore.Identities.
func (s *Store) EnsureIdentity(
	ctx context.Context, identity authcore.Identity, candidate authcore.User, join bool,
) (authcore.User, bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, false, err
	}
	defer unlock()
	if known, found := s.identities.get(identityKey(identity)); found {
		user, err := s.user(known.UserID)
		return user, false, err
	}
	if id, found := s.byEmail[candidate.EmailKey()]; found {
		if !join {
			return authcore.User{}, false, authcore.ErrTaken
		}
		s.attach(identity, id)
		user, err := s.user(id)
		return user, false, err
	}
	user, err := s.addUser(candidate)
	if err != nil {
		return authcore.User{}, false, err
	}
	s.attach(identity, user.ID)
	return user, true, nil
}

// LinkIdentity attaches an identity to the user it names. See
// authcore.Identities.
func (s *Store) LinkIdentity(ctx context.Context, identity authcore.Identity) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.user(identity.UserID); err != nil {
		return err
	}
	if known, found := s.identities.get(identityKey(identity)); found {
		if known.UserID != identity.UserID {
			return authcore.ErrTaken
		}
		return nil
	}
	s.attach(identity, identity.UserID)
	return nil
}

// UnlinkIdentity takes an identity from the user it names. See
// authcore.Identities.
func (s *Store) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	key := identityKey(identity)
	known, found := s.identities.get(key)
	if !found || known.UserID != identity.UserID {
		return authcore.ErrNotFound
	}
	user, err := s.user(known.UserID)
	if err != nil {
		return err
	}
	if user.EmailKey() == "" && len(s.identitiesOfUser[user.ID]) == 1 {
		return authcore.ErrLastIdentity
	}
	s.identities.remove(key)
	s.identitiesOfUser.remove(user.ID, key)
	return nil
}

// ReplaceIdentity lets others take the place of an identity. See
// authcore.Succession.
func (s *Store) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.User{}, err
	}
	defer unlock()
	key := identityKey(old)
	known, found := s.identities.get(key)
	if !found {
		return authcore.User{}, authcore.ErrNotFound
	}
	for _, other := range others {
		if _, found := s.identities.get(identityKey(other)); found {
			return authcore.User{}, authcore.ErrTaken
		}
	}
	s.identities.remove(key)
	s.identitiesOfUser.remove(known.UserID, key)
	for _, other := range others {
		s.attach(other, known.UserID)
	}
	return s.user(known.UserID)
}

// IdentitiesOf returns the identities of a user, oldest first. See
// authcore.Identities.
func (s *Store) IdentitiesOf(ctx context.Context, userID string) ([]authcore.Identity, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return s.identitiesOf(userID), nil
}

func (s *Store) identitiesOf(userID string) []authcore.Identity {
	var identities []authcore.Identity
	for key := range s.identitiesOfUser[userID] {
		if identity, found := s.identities.get(key); found {
			identities = append(identities, identity)
		}
	}
	slices.SortFunc(identities, func(a, b authcore.Identity) int { return a.Created.Compare(b.Created) })
	return identities
}

func (s *Store) attach(identity authcore.Identity, userID string) {
	identity.UserID, identity.Created = userID, wall(identity.Created)
	key := identityKey(identity)
	s.identities.put(key, identity)
	s.identitiesOfUser.add(userID, key)
}

func (s *Store) dropIdentities(userID string) {
	for key := range s.identitiesOfUser[userID] {
		s.identities.remove(key)
	}
	delete(s.identitiesOfUser, userID)
}

// identityKey joins the three parts with the lengths of the first two, so that
// no two identities share a key whatever characters a provider uses.
func identityKey(i authcore.Identity) string {
	return strconv.Itoa(len(i.Provider)) + ":" + i.Provider +
		strconv.Itoa(len(i.Issuer)) + ":" + i.Issuer + i.Subject
}
