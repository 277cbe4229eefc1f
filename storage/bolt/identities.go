package bolt

import (
	"context"
	"errors"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// UserByIdentity returns the user of an identity. See authcore.Identities.
func (s *Store) UserByIdentity(ctx context.Context, identity authcore.Identity) (authcore.User, error) {
	return read(ctx, s, func(t *tx) (authcore.User, error) {
		known, err := t.identity(identity)
		if err != nil {
			return authcore.User{}, err
		}
		return t.user(known.UserID)
	})
}

// EnsureIdentity finds or makes the user of an identity. See
// authcore.Identities.
func (s *Store) EnsureIdentity(
	ctx context.Context, identity authcore.Identity, candidate authcore.User, join bool,
) (authcore.User, bool, error) {
	result, err := write(ctx, s, func(t *tx) (found, error) {
		known, err := t.identity(identity)
		if err == nil {
			user, err := t.user(known.UserID)
			return found{user: user}, err
		}
		if !errors.Is(err, authcore.ErrNotFound) {
			return found{}, err
		}
		if id := t.holder(candidate.EmailKey()); id != "" {
			return t.joinUser(identity, id, join)
		}
		if err := t.addUser(candidate); err != nil {
			return found{}, err
		}
		return found{user: candidate, created: true}, t.attach(identity, candidate.ID)
	})
	return result.user, result.created, err
}

// LinkIdentity attaches an identity to the user it names. See
// authcore.Identities.
func (s *Store) LinkIdentity(ctx context.Context, identity authcore.Identity) error {
	return change(ctx, s, func(t *tx) error {
		if _, err := t.user(identity.UserID); err != nil {
			return err
		}
		known, err := t.identity(identity)
		switch {
		case errors.Is(err, authcore.ErrNotFound):
			return t.attach(identity, identity.UserID)
		case err != nil:
			return err
		case known.UserID != identity.UserID:
			return authcore.ErrTaken
		}
		return nil
	})
}

// UnlinkIdentity takes an identity from the user it names. See
// authcore.Identities.
func (s *Store) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	return change(ctx, s, func(t *tx) error {
		known, err := t.identity(identity)
		if err != nil {
			return err
		}
		if known.UserID != identity.UserID {
			return authcore.ErrNotFound
		}
		user, err := t.user(known.UserID)
		if err != nil {
			return damaged(err, identitiesTable)
		}
		if user.EmailKey() == "" && len(t.keys(identitiesByUserTable, joinKey(user.ID))) == 1 {
			return authcore.ErrLastIdentity
		}
		return t.detach(known)
	})
}

// ReplaceIdentity lets others take the place of an identity. See
// authcore.Succession.
func (s *Store) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	return write(ctx, s, func(t *tx) (authcore.User, error) {
		known, err := t.identity(old)
		if err != nil {
			return authcore.User{}, err
		}
		user, err := t.user(known.UserID)
		if err != nil {
			return authcore.User{}, damaged(err, identitiesTable)
		}
		if err := t.detach(known); err != nil {
			return authcore.User{}, err
		}
		for _, other := range others {
			if t.get(identitiesTable, identityKey(other)) != nil {
				return authcore.User{}, authcore.ErrTaken
			}
			if err := t.attach(other, user.ID); err != nil {
				return authcore.User{}, err
			}
		}
		return user, nil
	})
}

// IdentitiesOf returns the identities of a user, oldest first. See
// authcore.Identities.
func (s *Store) IdentitiesOf(ctx context.Context, userID string) ([]authcore.Identity, error) {
	return read(ctx, s, func(t *tx) ([]authcore.Identity, error) { return t.identitiesOf(userID) })
}

func (t *tx) identitiesOf(userID string) ([]authcore.Identity, error) {
	var identities []authcore.Identity
	prefix := joinKey(userID)
	for _, key := range t.keys(identitiesByUserTable, prefix) {
		identity, err := load[authcore.Identity](t, identitiesTable, key[len(prefix):])
		if err != nil {
			return nil, damaged(err, identitiesByUserTable)
		}
		identities = append(identities, identity)
	}
	slices.SortStableFunc(identities, func(a, b authcore.Identity) int { return a.Created.Compare(b.Created) })
	return identities, nil
}

// joinUser attaches the identity to the user of its address, if that may be.
func (t *tx) joinUser(identity authcore.Identity, id string, join bool) (found, error) {
	if !join {
		return found{}, authcore.ErrTaken
	}
	user, err := t.user(id)
	if err != nil {
		return found{}, err
	}
	return found{user: user}, t.attach(identity, id)
}

func (t *tx) identity(identity authcore.Identity) (authcore.Identity, error) {
	return load[authcore.Identity](t, identitiesTable, identityKey(identity))
}

func (t *tx) attach(identity authcore.Identity, userID string) error {
	identity.UserID = userID
	key := identityKey(identity)
	if err := store(t, identitiesTable, key, identity); err != nil {
		return err
	}
	return t.put(identitiesByUserTable, append(joinKey(userID), key...), nil)
}

func (t *tx) detach(identity authcore.Identity) error {
	key := identityKey(identity)
	return errors.Join(
		t.remove(identitiesTable, key),
		t.remove(identitiesByUserTable, append(joinKey(identity.UserID), key...)),
	)
}

func (t *tx) dropIdentities(userID string) error {
	prefix := joinKey(userID)
	for _, key := range t.keys(identitiesByUserTable, prefix) {
		identity := key[len(prefix):]
		if err := errors.Join(t.remove(identitiesTable, identity), t.remove(identitiesByUserTable, key)); err != nil {
			return err
		}
	}
	return nil
}

func identityKey(i authcore.Identity) []byte { return joinKey(i.Provider, i.Issuer, i.Subject) }
