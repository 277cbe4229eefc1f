package redis

import (
	"context"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// UserByIdentity returns the user of an identity. See authcore.Identities.
func (s *Store) UserByIdentity(ctx context.Context, identity authcore.Identity) (authcore.User, error) {
	return s.findUser(ctx, s.db.scripts.userByIdentity, identityKey(identity))
}

// EnsureIdentity finds or makes the user of an identity. See
// authcore.Identities.
func (s *Store) EnsureIdentity(
	ctx context.Context, identity authcore.Identity, candidate authcore.User, join bool,
) (authcore.User, bool, error) {
	text, err := encodeIdentity(identity)
	if err != nil {
		return authcore.User{}, false, err
	}
	user, err := encodeUser(candidate)
	if err != nil {
		return authcore.User{}, false, err
	}
	joining := "0"
	if join {
		joining = "1"
	}
	return ensured(s.run(ctx, s.db.scripts.ensureIdentity,
		identityKey(identity), text, candidate.ID, candidate.EmailKey(), user, joining))
}

// LinkIdentity attaches an identity to the user it names. See
// authcore.Identities.
func (s *Store) LinkIdentity(ctx context.Context, identity authcore.Identity) error {
	text, err := encodeIdentity(identity)
	if err != nil {
		return err
	}
	_, err = s.run(ctx, s.db.scripts.linkIdentity, identityKey(identity), text, identity.UserID)
	return err
}

// UnlinkIdentity takes an identity from the user it names. See
// authcore.Identities.
func (s *Store) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	_, err := s.run(ctx, s.db.scripts.unlinkIdentity, identityKey(identity), identity.UserID)
	return err
}

// ReplaceIdentity lets others take the place of an identity. See
// authcore.Succession.
func (s *Store) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	arguments := []string{identityKey(old)}
	for _, other := range others {
		text, err := encodeIdentity(other)
		if err != nil {
			return authcore.User{}, err
		}
		arguments = append(arguments, identityKey(other), text)
	}
	result, err := s.run(ctx, s.db.scripts.replaceIdentity, arguments...)
	if err != nil {
		return authcore.User{}, err
	}
	return userOf(result.text(0))
}

// IdentitiesOf returns the identities of a user, oldest first. See
// authcore.Identities.
func (s *Store) IdentitiesOf(ctx context.Context, userID string) ([]authcore.Identity, error) {
	result, err := s.run(ctx, s.db.scripts.identitiesOf, userID)
	if err != nil {
		return nil, err
	}
	identities, err := decodeAll(texts(result.rest), decodeIdentity)
	slices.SortStableFunc(identities, func(a, b authcore.Identity) int { return a.Created.Compare(b.Created) })
	return decoded(identities, err, "identities")
}
